"""Leases renew while work goes on, and no longer; a batch that keeps others out ends with its process."""

import threading

from inference_worker.errors import StoreUnavailableError
from inference_worker.lease import keep_lease

SOON_S = 0.01
PATIENCE_S = 10.0


def never() -> bool:
    return False


def held() -> bool:
    return True


def test_lease_is_renewed_until_the_work_ends_though_postgres_misses_one() -> None:
    twice = threading.Event()
    renewals: list[int] = []

    def renew() -> bool:
        renewals.append(1)
        if len(renewals) == 1:
            raise StoreUnavailableError
        twice.set()
        return True

    with keep_lease(renew, never, lease_s=SOON_S, look_every_s=SOON_S):
        assert twice.wait(PATIENCE_S)
    count = len(renewals)

    assert all(thread.name != "lease" for thread in threading.enumerate())
    assert len(renewals) == count


def test_lease_is_renewed_far_less_often_than_others_are_looked_for() -> None:
    many = threading.Event()
    looks: list[int] = []
    renewals: list[int] = []

    def renew() -> bool:
        renewals.append(1)
        return True

    def look() -> bool:
        looks.append(1)
        if len(looks) > 10:
            many.set()
        return False

    with keep_lease(renew, look, lease_s=PATIENCE_S, look_every_s=SOON_S):
        assert many.wait(PATIENCE_S)

    assert renewals == []


def test_call_is_interrupted_when_its_batch_has_made_way() -> None:
    interrupted, left = threading.Event(), threading.Event()

    with keep_lease(
        held,
        lambda: True,
        lease_s=3 * PATIENCE_S,
        look_every_s=100 * SOON_S,
        interrupt=interrupted.set,
        leave=left.set,
    ):
        assert interrupted.wait(PATIENCE_S)

    assert not left.is_set()


def test_call_whose_claim_is_lost_is_interrupted_and_its_process_stays() -> None:
    interrupted, left = threading.Event(), threading.Event()

    with keep_lease(
        lambda: False,
        never,
        lease_s=SOON_S,
        look_every_s=SOON_S,
        interrupt=interrupted.set,
        leave=left.set,
    ):
        assert interrupted.wait(PATIENCE_S)
        for thread in threading.enumerate():
            if thread.name == "lease":
                thread.join(PATIENCE_S)

    assert not left.is_set()


def test_process_ends_when_its_call_goes_on() -> None:
    interrupted, left = threading.Event(), threading.Event()

    with keep_lease(
        held,
        lambda: True,
        lease_s=SOON_S,
        look_every_s=SOON_S,
        interrupt=interrupted.set,
        leave=left.set,
    ):
        assert left.wait(PATIENCE_S)

    assert interrupted.is_set()
