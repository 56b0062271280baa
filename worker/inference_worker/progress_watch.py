"""Notices a worker that lives and takes nothing, and ends it: its supervisor starts it anew (ADR 0002)."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from inference_worker.errors import StoreUnavailableError

logger = logging.getLogger(__name__)

LOOKS_PER_TIMEOUT: Final = 6
PATIENCE: Final = 0.5
"""Share of the timeout that a wake-up may wait in Redis, which is longer than a worker needs to reconnect."""
DEAF: Final = "wake-ups were sent and none was taken"


@dataclass(frozen=True, slots=True)
class Movement:
    """`waiting`: rows whose wake-ups wait for this worker; `holding`: its processes run batches."""

    waiting: bool
    holding: bool


class WatchStore(Protocol):
    """What Postgres knows of a worker's progress; every call raises `StoreUnavailableError`."""

    def movement(self, *, still_s: float, patience_s: float) -> Movement:
        """Look for rows whose wake-up is between `patience_s` and `still_s` old, and for held leases."""

    def note_end(self, reason: str) -> None:
        """Count that this worker ends itself."""


class ProgressWatch:
    """Looks several times in `timeout_s`; an empty queue, a busy pool and a silent Postgres are no reason."""

    def __init__(
        self,
        store: WatchStore,
        taken: Callable[[], int],
        end: Callable[[], None],
        *,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the collaborators: `taken` counts the wake-ups so far that the pool took."""
        self._store = store
        self._taken = taken
        self._end = end
        self._timeout_s = timeout_s
        self._clock = clock
        self._last_taken = taken()
        self._moved_at = clock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress-watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._moved_at = self._clock()
        self._thread.start()

    def stop(self) -> None:
        """Stop looking; safe to call twice."""
        self._done.set()

    def look(self) -> bool:
        """Look once; returns whether the worker was told to end."""
        now = self._clock()
        if (taken := self._taken()) != self._last_taken:
            self._last_taken, self._moved_at = taken, now
        if now - self._moved_at < self._timeout_s:
            return False
        try:
            return self._is_deaf(now) and self._give_up()
        except StoreUnavailableError:
            self._moved_at = now
            return False

    def _is_deaf(self, now: float) -> bool:
        movement = self._store.movement(still_s=now - self._moved_at, patience_s=PATIENCE * self._timeout_s)
        if movement.holding:
            self._moved_at = now
        return movement.waiting and not movement.holding

    def _give_up(self) -> bool:
        logger.critical("worker takes nothing, ending itself", extra={"reason": DEAF})
        self._store.note_end(DEAF)
        self._end()
        return True

    def _run(self) -> None:
        while not self._done.wait(self._timeout_s / LOOKS_PER_TIMEOUT):
            if self.look():
                return
