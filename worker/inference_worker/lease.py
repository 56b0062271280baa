"""Renews the leases of a running batch from a thread of its own, so that a long model call keeps its rows.

The same thread ends the process where its batch keeps all other models out (ADR 0003): a model call cannot be
stopped in any gentler way, and its rows are queued again by then.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from inference_worker.ending import leave
from inference_worker.errors import StoreUnavailableError

logger = logging.getLogger(__name__)

RENEWALS_PER_LEASE: Final = 3


@contextmanager
def keep_lease(
    renew: Callable[[], None],
    make_way: Callable[[], bool],
    *,
    lease_s: float,
    look_every_s: float,
    leave: Callable[[], None] = leave,
) -> Iterator[None]:
    """Call `renew` every third of the lease until the context ends; it has ended when this returns.

    Args:
        renew: puts the lease off.
        make_way: whether the rows were given up for other models' sake; asked every `look_every_s`.
        lease_s: seconds that a lease holds.
        look_every_s: seconds between two questions.
        leave: ends this process.
    """
    done = threading.Event()
    keeper = _Keeper(renew, make_way, lease_s / RENEWALS_PER_LEASE, leave)
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
        renew: Callable[[], None],
        make_way: Callable[[], bool],
        every_s: float,
        leave: Callable[[], None],
    ) -> None:
        self._renew = renew
        self._make_way = make_way
        self._every_s = every_s
        self._leave = leave
        self._due_at = time.monotonic() + every_s

    def keep_until(self, done: threading.Event, look_every_s: float) -> None:
        while not done.wait(min(look_every_s, self._every_s)):
            try:
                if self._make_way():
                    logger.warning("making way for other models, this process ends")
                    self._leave()
                    return
                self._renew_when_due()
            except StoreUnavailableError:
                logger.warning("lease not renewed", exc_info=True)

    def _renew_when_due(self) -> None:
        if time.monotonic() >= self._due_at:
            self._due_at = time.monotonic() + self._every_s
            self._renew()
