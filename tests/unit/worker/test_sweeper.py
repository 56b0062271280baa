"""What a sweep sends, and what it does when the broker or the room runs out."""

from inference_worker.sweeper import GAVE_UP, Sweep, TakenBack, WakeUp
from inference_worker.testing import FakeBroker, FakeSweepStore

LIMIT = 10


def wake_ups(count: int) -> list[WakeUp]:
    return [WakeUp(f"job-{number}", None) for number in range(count)]


def test_queued_rows_are_sent() -> None:
    broker = FakeBroker()

    assert Sweep(FakeSweepStore(queued=wake_ups(3)), broker, LIMIT)() == 3
    assert broker.sent == wake_ups(3)


def test_queue_is_only_topped_up() -> None:
    broker = FakeBroker(length=8)

    assert Sweep(FakeSweepStore(queued=wake_ups(5)), broker, LIMIT)() == 2


def test_full_queue_takes_nothing_and_notes_nothing() -> None:
    store = FakeSweepStore(queued=wake_ups(5))

    assert Sweep(store, FakeBroker(length=LIMIT + 1), LIMIT)() == 0
    assert len(store.queued) == 5


def test_rows_that_the_broker_did_not_take_are_due_again() -> None:
    store = FakeSweepStore(queued=wake_ups(3))

    assert Sweep(store, FakeBroker(works_for=1), LIMIT)() == 1
    assert store.unsent == ["job-1", "job-2"]


def test_leases_are_taken_back_even_without_a_broker() -> None:
    store = FakeSweepStore(lapsed=(TakenBack("a", 1, None, gave_up=False),), queued=wake_ups(1))

    assert Sweep(store, FakeBroker(works_for=0), LIMIT)() == 0
    assert store.reasons == [GAVE_UP]
    assert len(store.queued) == 1
