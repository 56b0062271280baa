"""Renews the leases of a running batch from a thread of its own, so that a long model call keeps its rows.

The same thread ends the model call where its batch keeps all other models out, and where none of its rows is
held any more: they were cancelled, or given up. The fence drops what the call may still answer (ADR 0003).
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from inference_worker.ending import leave
from inference_worker.errors import StoreUnavailableError

logger = logging.getLogger(__name__)

RENEWALS_PER_LEASE: Final = 3


def interrupt() -> None:
    """End the main thread's model call as the soft time limit does: Celery is slow to replace processes."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)


@contextmanager
def keep_lease(  # noqa: PLR0913 - what a test replaces comes last
    renew: Callable[[], bool],
    make_way: Callable[[], bool],
    *,
    lease_s: float,
    look_every_s: float,
    interrupt: Callable[[], None] = interrupt,
    leave: Callable[[], None] = leave,
) -> Iterator[None]:
    """Call `renew` every third of the lease until the context ends; it has ended when this returns.

    Args:
        renew: puts the lease off; whether there is one still.
        make_way: whether the rows were given up for other models' sake; asked every `look_every_s`.
        lease_s: seconds that a lease holds.
        look_every_s: seconds between two questions.
        interrupt: ends the call.
        leave: ends this process, where the call goes on all the same.
    """
    done = threading.Event()
    keeper = _Keeper(renew, make_way, lease_s / RENEWALS_PER_LEASE, (interrupt, leave))
    thread = threading.Thread(target=keeper.keep_until, args=(done, look_every_s), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class _Keeper:
    def __init__(
        self,
        renew: Callable[[], bool],
        make_way: Callable[[], bool],
        every_s: float,
        ways_to_end: tuple[Callable[[], None], Callable[[], None]],
    ) -> None:
        self._renew = renew
        self._make_way = make_way
        self._every_s = every_s
        self._interrupt, self._leave = ways_to_end
        self._due_at = time.monotonic() + every_s

    def keep_until(self, done: threading.Event, look_every_s: float) -> None:
        while not done.wait(min(look_every_s, self._every_s)):
            try:
                if self._make_way():
                    self._end(done, look_every_s)
                    return
                if not self._renewed_when_due():
                    logger.warning("no lease is left, interrupting the model call")
                    self._interrupt()
                    return
            except StoreUnavailableError:
                logger.warning("lease not renewed", exc_info=True)

    def _end(self, done: threading.Event, grace_s: float) -> None:
        logger.warning("making way for other models")
        self._interrupt()
        if not done.wait(grace_s):
            logger.warning("the model call goes on, this process ends")
            self._leave()

    def _renewed_when_due(self) -> bool:
        if time.monotonic() < self._due_at:
            return True
        self._due_at = time.monotonic() + self._every_s
        return self._renew()
