"""The models that may be asked, remembered so that a warm submit does not ask Postgres for them."""

import time
from collections.abc import Callable
from typing import Final, Protocol

from inference_api.errors import NoModelError, UnknownModelError
from inference_contract.job import Model

FRESH_S: Final = 30.0
"""A new default version may take this long to be seen; models are registered far more rarely."""
MISS_PAUSE_S: Final = 1.0
"""An unknown model is looked up anew, but a flood of unknown names asks at most this often."""


class Registry(Protocol):
    """Where models are registered."""

    def read(self) -> tuple[Model, ...]:
        """List all models, each name's default version first."""


class KnownModels:
    """Finds a model by name and version."""

    def __init__(self, registry: Registry, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._clock = clock
        self._models: tuple[Model, ...] = ()
        self._read_at = float("-inf")

    def find(self, name: str, version: str | None) -> Model:
        """Find a model, its default version where `version` is `None`.

        Raises:
            NoModelError: none is registered at all.
            UnknownModelError: this one is not; the error lists those that are.
            DatabaseUnavailableError: the registry cannot be read.
        """
        model = self._look_up(name, version, FRESH_S) or self._look_up(name, version, MISS_PAUSE_S)
        if model is not None:
            return model
        if not self._models:
            raise NoModelError
        known = [f"{model.id.name} {model.id.version}" for model in self._models]
        asked = name if version is None else f"{name} {version}"
        raise UnknownModelError(
            f"Model {asked} is not known; known are {', '.join(known)}.", {"models": known}
        )

    def _look_up(self, name: str, version: str | None, fresh_s: float) -> Model | None:
        now = self._clock()
        if now - self._read_at >= fresh_s:
            self._models = self._registry.read()
            self._read_at = now
        return next((m for m in self._models if m.id.name == name and version in {None, m.id.version}), None)
