"""All that decides the Iris classifier's parameters, readable without importing slow model libraries."""

import hashlib
import json
from importlib.metadata import version
from typing import Final

from inference_contract.job import ModelId

MODEL: Final = ModelId("iris", "1")
FILE: Final = "model.skops"
BACKEND: Final = "sklearn_skops"
FEATURE_NAMES: Final = ("sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm")
SEED: Final = 42
HELD_OUT_SHARE: Final = 0.2
ITERATIONS_MAX: Final = 1000
REGULARISATION: Final = 1.0
DESCRIPTION: Final = 2
"""Raised when the metadata say more than before (2: training shares by bin): old artifacts are made anew."""
LIBRARIES: Final = ("numpy", "scikit-learn", "scipy", "skops")


def library_versions() -> dict[str, str]:
    """Versions of the libraries that shape the artifact; scikit-learn's also fixes the data set."""
    return {name: version(name) for name in LIBRARIES}


def inputs_digest() -> str:
    """Digest of settings and versions: equal inputs give equal parameters."""
    settings = (
        DESCRIPTION, SEED, HELD_OUT_SHARE, ITERATIONS_MAX, REGULARISATION, FEATURE_NAMES, library_versions()
    )  # fmt: skip
    return hashlib.sha256(json.dumps(settings).encode()).hexdigest()
