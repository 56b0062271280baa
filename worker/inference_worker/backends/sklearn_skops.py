"""scikit-learn models in skops files: types are checked before anything is built, pickle is never read."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import skops.io
from inference_contract.job import FeatureRow, Prediction
from skops.io.exceptions import UntrustedTypesFoundException

from inference_worker.errors import ModelUnavailableError
from inference_worker.model_metadata import ModelMetadata

TRUSTED_TYPES: Final[tuple[str, ...]] = ()
"""Types beyond those of scikit-learn and numpy that skops itself knows to be harmless; none is needed."""


@dataclass(frozen=True, slots=True)
class SklearnModel:
    """A classifier with `predict_proba`."""

    classifier: Any
    classes: tuple[str, ...]

    def predict(self, rows: tuple[FeatureRow, ...]) -> tuple[Prediction, ...]:
        """Answer `rows` of shape (n, features) in one call; another shape raises ValueError."""
        probabilities = self.classifier.predict_proba(np.asarray(rows, dtype=np.float64))
        likeliest = probabilities.argmax(axis=1)
        return tuple(
            Prediction(self.classes[best], dict(zip(self.classes, row, strict=True)))
            for best, row in zip(likeliest.tolist(), probabilities.tolist(), strict=True)
        )


def load(content: bytes, metadata: ModelMetadata) -> SklearnModel:
    """Build the model from verified bytes; untrusted types or other classes raise `ModelUnavailableError`."""
    name = f"{metadata.name} {metadata.version}"
    try:
        classifier = skops.io.loads(content, trusted=list(TRUSTED_TYPES))
    except UntrustedTypesFoundException as error:
        raise ModelUnavailableError(f"the artifact of {name} holds types that are not trusted") from error
    except Exception as error:
        raise ModelUnavailableError(f"the artifact of {name} is no readable skops file") from error
    if tuple(getattr(classifier, "classes_", ())) != metadata.classes:
        raise ModelUnavailableError(f"the artifact of {name} has other classes than its metadata")
    return SklearnModel(classifier, metadata.classes)
