"""Leases renew while work goes on, and no longer."""

import threading

from inference_worker.errors import StoreUnavailableError
from inference_worker.lease import keep_lease

SOON_S = 0.01
PATIENCE_S = 10.0


def test_lease_is_renewed_until_the_work_ends_though_postgres_misses_one() -> None:
    twice = threading.Event()
    renewals: list[int] = []

    def renew() -> None:
        renewals.append(1)
        if len(renewals) == 1:
            raise StoreUnavailableError
        twice.set()

    with keep_lease(renew, lease_s=SOON_S):
        assert twice.wait(PATIENCE_S)
    count = len(renewals)

    assert all(thread.name != "lease" for thread in threading.enumerate())
    assert len(renewals) == count
