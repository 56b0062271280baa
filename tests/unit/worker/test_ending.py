"""A stop that takes too long is brought to its end, with what was unfinished handed over."""

import signal
import threading

import pytest
from inference_worker.ending import Ending
from inference_worker.testing import FakePoolStore

AT_ONCE_S = 0.01
LONG_S = 60.0
PATIENCE_S = 10.0


class End:
    """Notes what would have ended processes, in order."""

    def __init__(self, rows: FakePoolStore, after_s: float) -> None:
        self.steps: list[str] = []
        self.left = threading.Event()
        self.rows = rows
        self.ending = Ending(rows, after_s=after_s, kill=self._kill, leave=self._leave)

    def _kill(self) -> None:
        self.steps.append(f"kill with {self.rows.held} held")

    def _leave(self) -> None:
        self.steps.append(f"leave with {self.rows.held} held")
        self.left.set()


def test_children_are_killed_then_rows_handed_over_then_the_process_ends() -> None:
    end = End(FakePoolStore(held=2), AT_ONCE_S)

    end.ending.begin()

    assert end.left.wait(PATIENCE_S)
    assert end.steps == ["kill with 2 held", "leave with 0 held"]


def test_process_ends_though_postgres_is_gone() -> None:
    end = End(FakePoolStore(held=2, unavailable=True), AT_ONCE_S)

    end.ending.begin()

    assert end.left.wait(PATIENCE_S)
    assert end.steps[-1] == "leave with 2 held"


def test_second_signal_does_not_count_anew() -> None:
    end = End(FakePoolStore(), LONG_S)
    end.ending.begin()
    threads = threading.active_count()

    end.ending.begin()

    assert threading.active_count() <= threads


@pytest.fixture
def celery_saw() -> list[int]:
    """Handle the stop signals as Celery would, for one test."""
    seen: list[int] = []
    numbers = (signal.SIGTERM, signal.SIGQUIT)
    before = [signal.signal(number, lambda received, _: seen.append(received)) for number in numbers]
    yield seen
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_signal_begins_the_count_and_reaches_celery(celery_saw: list[int]) -> None:
    end = End(FakePoolStore(), AT_ONCE_S)
    end.ending.watch_signals()

    signal.raise_signal(signal.SIGTERM)

    assert celery_saw == [signal.SIGTERM]
    assert end.left.wait(PATIENCE_S)


def test_worker_that_ends_itself_needs_no_signal_handler_to_run(celery_saw: list[int]) -> None:
    end = End(FakePoolStore(), AT_ONCE_S)

    end.ending.end_worker()

    assert end.left.wait(PATIENCE_S)
    assert celery_saw == [signal.SIGTERM]
