"""A worker ends itself only when wake-ups wait for it, and it neither takes nor runs any."""

from dataclasses import dataclass, field

from inference_worker.progress_watch import DEAF, Movement, ProgressWatch
from inference_worker.testing import FakePoolStore

TIMEOUT_S = 60.0
WAITING = Movement(waiting=True, holding=False)


@dataclass
class Worker:
    """What the watch sees of a worker, under the test's control."""

    store: FakePoolStore = field(default_factory=FakePoolStore)
    now: float = 1000.0
    taken: int = 0
    ended: int = 0

    def __post_init__(self) -> None:
        self.watch = ProgressWatch(
            self.store, lambda: self.taken, self.end, timeout_s=TIMEOUT_S, clock=lambda: self.now
        )

    def end(self) -> None:
        self.ended += 1

    def look_after(self, seconds: float) -> bool:
        self.now += seconds
        return self.watch.look()


def test_worker_that_takes_nothing_of_what_waits_is_ended_and_counted() -> None:
    worker = Worker(FakePoolStore(WAITING))

    assert worker.look_after(TIMEOUT_S)
    assert worker.ended == 1
    assert worker.store.ends == [DEAF]


def test_worker_gets_its_time_before_postgres_is_asked() -> None:
    worker = Worker(FakePoolStore(WAITING))

    assert not worker.look_after(TIMEOUT_S - 1)
    assert worker.store.looked_for == []


def test_empty_queue_is_no_reason() -> None:
    worker = Worker()

    assert not worker.look_after(10 * TIMEOUT_S)


def test_wake_up_taken_since_the_last_look_starts_the_time_anew() -> None:
    worker = Worker(FakePoolStore(WAITING))
    worker.look_after(TIMEOUT_S - 1)
    worker.taken += 1

    assert not worker.look_after(2)
    assert not worker.look_after(TIMEOUT_S - 1)
    assert worker.look_after(1)


def test_busy_pool_is_no_reason_and_starts_the_time_anew() -> None:
    worker = Worker(FakePoolStore(Movement(waiting=True, holding=True)))
    assert not worker.look_after(TIMEOUT_S)
    worker.store.movement_now = WAITING

    assert not worker.look_after(TIMEOUT_S - 1)
    assert worker.look_after(1)


def test_silent_postgres_is_no_reason_and_starts_the_time_anew() -> None:
    worker = Worker(FakePoolStore(WAITING, unavailable=True))
    assert not worker.look_after(TIMEOUT_S)
    worker.store.unavailable = False

    assert not worker.look_after(TIMEOUT_S - 1)
    assert worker.look_after(1)


def test_wake_ups_from_before_the_last_movement_do_not_count() -> None:
    worker = Worker()
    worker.look_after(TIMEOUT_S + 5)

    assert worker.store.looked_for == [(TIMEOUT_S + 5, TIMEOUT_S / 2)]
