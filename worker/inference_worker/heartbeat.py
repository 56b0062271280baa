"""Says from a thread of the worker's main process that it is alive and which models it serves."""

import logging
import threading
from typing import Protocol

from inference_worker.errors import StoreUnavailableError
from inference_worker.model_metadata import ModelMetadata

logger = logging.getLogger(__name__)


class Registry(Protocol):
    """Tables `models` and `workers`; every call raises `StoreUnavailableError`."""

    def register(self, model: ModelMetadata) -> None:
        """Make a model known, keeping the time of its first registration."""

    def beat(self, worker: str, *, first: bool) -> None:
        """Note that the worker is alive now."""

    def forget(self, worker: str) -> None:
        """Remove the worker."""


class Heartbeat:
    """Registers the models once Postgres answers, and beats from then on."""

    def __init__(
        self, registry: Registry, worker: str, models: tuple[ModelMetadata, ...], *, every_s: float
    ) -> None:
        """Keep what to say and how often; nothing runs before `start`."""
        self._registry = registry
        self._worker = worker
        self._models = models
        self._every_s = every_s
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._registered = False

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Stop beating and remove the worker, so that nobody counts on it; safe to call twice."""
        if self._done.is_set():
            return
        self._done.set()
        self._thread.join()
        try:
            self._registry.forget(self._worker)
        except StoreUnavailableError:
            logger.warning("worker not removed, its row goes stale", exc_info=True)

    def beat_once(self) -> None:
        """Register what is not registered yet, then beat; what fails is tried again at the next beat."""
        try:
            first = not self._registered
            if first:
                self._register()
            self._registry.beat(self._worker, first=first)
            self._registered = True
        except StoreUnavailableError:
            logger.warning("heartbeat missed", exc_info=True)

    def _register(self) -> None:
        for model in self._models:
            self._registry.register(model)
            logger.info("model registered", extra={"model": model.name, "model_version": model.version})

    def _run(self) -> None:
        self.beat_once()
        while not self._done.wait(self._every_s):
            self.beat_once()
