"""Old results go in small steps, and no tick takes long."""

from inference_worker.retention import STEP_ROWS, STEPS_MAX, Retention
from inference_worker.testing import FakeRetentionStore


def test_nothing_old_is_one_step() -> None:
    store = FakeRetentionStore()

    assert Retention(store)() == 0
    assert store.steps == [0]


def test_steps_go_on_until_one_is_not_full() -> None:
    store = FakeRetentionStore(old=STEP_ROWS + 3)

    assert Retention(store)() == STEP_ROWS + 3
    assert store.steps == [STEP_ROWS, 3]


def test_tick_ends_though_more_is_old() -> None:
    store = FakeRetentionStore(old=10 * STEPS_MAX * STEP_ROWS)

    assert Retention(store)() == STEPS_MAX * STEP_ROWS


def test_totals_of_lost_connections_are_folded_too() -> None:
    store = FakeRetentionStore(left_over=STEP_ROWS + 1)

    Retention(store)()

    assert store.left_over == 0
