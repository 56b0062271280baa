"""The models in MODEL_DIR: described for registration, and loaded on first use in the pool's child."""

import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from inference_contract.job import ModelId

from inference_worker.errors import ModelUnavailableError
from inference_worker.model_metadata import (
    METADATA_FILE,
    ModelMetadata,
    model_folder,
    read_metadata,
    verified_bytes,
)
from inference_worker.run_prediction import LoadedModel

logger = logging.getLogger(__name__)

NUMBER: Final = re.compile(r"([0-9]+)")

type LoadModel = Callable[[bytes, ModelMetadata], LoadedModel]
"""A backend: builds the model from verified bytes; raises `ModelUnavailableError`."""


def servable(model_dir: Path) -> tuple[ModelMetadata, ...]:
    """Describe every intact artifact, by name and version; a damaged one is logged and left out.

    They are registered in this order, and the last version is the default: 10 comes after 9.
    """
    found = []
    for path in sorted(model_dir.glob(f"*/*/{METADATA_FILE}"), key=_as_people_count):
        try:
            metadata = read_metadata(path.parent)
            verified_bytes(path.parent, metadata)
        except ModelUnavailableError:
            logger.exception("model refused", extra={"model": path.parent.parent.name})
            continue
        found.append(metadata)
    if not found:
        logger.error("no model to serve", extra={"model_dir": str(model_dir)})
    return tuple(found)


def _as_people_count(path: Path) -> list[tuple[str | int, ...]]:
    """Sort by name and version, numbers in them by their value; a split begins with text and alternates."""
    split = (NUMBER.split(part) for part in (path.parent.parent.name, path.parent.name))
    return [tuple(int(piece) if place % 2 else piece for place, piece in enumerate(parts)) for parts in split]


def described_in(model_dir: Path) -> Callable[[ModelId], ModelMetadata]:
    """Read a model's metadata by its name; raises `ModelUnavailableError`."""
    return lambda model: read_metadata(model_folder(model_dir, model))


class ModelCatalog:
    """Implements `ModelSource`: loads by backend name, once a process.

    A model that is not in memory is looked for on disk each time, so a version that was trained after the
    start is served without a restart.
    """

    def __init__(self, model_dir: Path, backend_of: Callable[[str], LoadModel]) -> None:
        """Keep where models are, and how a backend's name becomes a loader."""
        self._model_dir = model_dir
        self._backend_of = backend_of
        self._loaded: dict[ModelId, LoadedModel] = {}

    def get(self, model: ModelId) -> LoadedModel:
        """Return the model; one that is missing or not to be trusted raises `ModelUnavailableError`."""
        if model not in self._loaded:
            self._loaded[model] = self._load(model)
        return self._loaded[model]

    def _load(self, model: ModelId) -> LoadedModel:
        folder = model_folder(self._model_dir, model)
        metadata = read_metadata(folder)
        content = verified_bytes(folder, metadata)
        loaded = self._backend_of(metadata.backend)(content, metadata)
        logger.info("model loaded", extra={"model": model.name, "model_version": model.version})
        return loaded


def backend_in(backends: Mapping[str, Callable[[], LoadModel]]) -> Callable[[str], LoadModel]:
    """Look backends up by the name in the metadata; an unknown name raises `ModelUnavailableError`."""

    def find(name: str) -> LoadModel:
        if name not in backends:
            raise ModelUnavailableError(f"there is no model backend {name}")
        return backends[name]()

    return find
