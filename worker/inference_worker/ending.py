"""Ends the worker in time, whatever Celery waits for, and hands its unfinished rows over (ADR 0002).

Celery's cold shutdown waits in its signal handler for children that ignore its signal, then for the broker.
"""

import faulthandler
import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, Protocol

import billiard  # type: ignore[import-untyped] # it publishes no types

from inference_worker.errors import StoreUnavailableError

logger = logging.getLogger(__name__)

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGQUIT)
HAND_OVER_S: Final = 2.0
"""The longest that the last statement may hold the end up."""
FAILURE: Final = 1


class HandOver(Protocol):
    """The rows in Postgres."""

    def hand_over(self) -> int:
        """Remove the worker and queue what its processes still hold; raises `StoreUnavailableError`."""


def kill_children() -> None:
    """Say on standard error where each thread stands, and kill the pool's processes."""
    faulthandler.dump_traceback()
    for child in billiard.active_children():
        os.kill(child.pid, signal.SIGKILL)


def leave() -> None:
    """End this process at once, past whatever it waits for."""
    logging.shutdown()
    os._exit(FAILURE)


class Ending:
    """Counts from the first signal that asks to stop; a process that ends by itself before is let go."""

    def __init__(
        self,
        rows: HandOver,
        *,
        after_s: float,
        kill: Callable[[], None] = kill_children,
        leave: Callable[[], None] = leave,
    ) -> None:
        """Keep the rows, the seconds that a stop may take, and how children and this process end."""
        self._rows = rows
        self._after_s = after_s
        self._kill = kill
        self._leave = leave
        self._thread: threading.Thread | None = None

    def watch_signals(self) -> None:
        """Count from each stop signal on, then do what Celery does; its handlers have to be in place."""
        for number in STOP_SIGNALS:
            self._count_from(number)

    def end_worker(self) -> None:
        """Ask this worker to stop, and see to it."""
        self.begin()
        os.kill(os.getpid(), signal.SIGTERM)

    def begin(self) -> None:
        """Begin to count; later calls change nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._insist, name="ending", daemon=True)
            self._thread.start()

    def hand_over(self) -> None:
        """Queue what the children held, as nobody will finish it."""
        try:
            count = self._rows.hand_over()
        except StoreUnavailableError:
            logger.warning("jobs not handed over, their leases run out", exc_info=True)
            return
        if count:
            logger.warning("unfinished jobs handed over", extra={"count": count})

    def _insist(self) -> None:
        threading.Event().wait(self._after_s)
        logger.error("stop took too long, ending now", extra={"after_s": self._after_s})
        self._kill()
        last = threading.Thread(target=self.hand_over, name="hand-over", daemon=True)
        last.start()
        last.join(HAND_OVER_S)
        self._leave()

    def _count_from(self, number: signal.Signals) -> None:
        celery_handles = signal.getsignal(number)

        def handle(received: int, frame: FrameType | None) -> None:
            self.begin()
            if callable(celery_handles):
                celery_handles(received, frame)

        signal.signal(number, handle)
