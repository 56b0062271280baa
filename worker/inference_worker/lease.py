"""Renews the leases of a running batch from a thread of its own, so that a long model call keeps its rows."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from inference_worker.errors import StoreUnavailableError

logger = logging.getLogger(__name__)

RENEWALS_PER_LEASE: Final = 3


@contextmanager
def keep_lease(renew: Callable[[], None], *, lease_s: float) -> Iterator[None]:
    """Call `renew` every third of the lease until the context ends; it has ended when this returns."""
    done = threading.Event()
    thread = threading.Thread(
        target=_renew_until, args=(done, renew, lease_s / RENEWALS_PER_LEASE), name="lease", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _renew_until(done: threading.Event, renew: Callable[[], None], every_s: float) -> None:
    while not done.wait(every_s):
        try:
            renew()
        except StoreUnavailableError:
            logger.warning("lease not renewed", exc_info=True)
