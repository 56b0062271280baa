"""The checker itself: it finds what it is there to find."""

import uuid

import pytest

from tests.faults import invariants
from tests.faults.invariants import StoredJob
from tests.faults.pure_model import HOSTILE, PURE, expected
from tests.faults.recorder import ACCEPTED, Submitted, percentile

VALUE = 7.0
FEATURES = [[VALUE, 0.0, 0.0]]


def job(task_id: str, **changes: object) -> StoredJob:
    fields: dict[str, object] = {
        "task_id": task_id,
        "model": PURE,
        "status": "succeeded",
        "attempts": 1,
        "attempt_limit": None,
        "features": FEATURES,
        "prediction": expected(FEATURES),
        "error": None,
        "submitted_at": 0.0,
        "finished_at": 1.0,
    }
    return StoredJob(**(fields | changes))


def accepted(task_id: str, value: float = VALUE) -> Submitted:
    return Submitted(0.0, 0.1, ACCEPTED, "alpha", PURE, (value, 0.0, 0.0), task_id)


@pytest.fixture
def task_id() -> str:
    return str(uuid.uuid4())


def test_kept_promises_are_no_violation(task_id):
    jobs, told = {task_id: job(task_id)}, {task_id: [("queued", 0), ("running", 1), ("succeeded", 1)]}

    assert invariants.lost([accepted(task_id)], jobs) == []
    assert invariants.not_ended(jobs) == []
    assert invariants.wrong_results(jobs) == []
    assert invariants.ended_twice(told) == []
    assert invariants.wrong_attempts(told, jobs) == []


def test_missing_row_is_found(task_id):
    assert len(invariants.lost([accepted(task_id)], {})) == 1


def test_row_with_another_input_is_found(task_id):
    assert len(invariants.lost([accepted(task_id, VALUE + 1)], {task_id: job(task_id)})) == 1


@pytest.mark.parametrize("status", ["queued", "running"])
def test_open_job_is_found(task_id, status):
    assert len(invariants.not_ended({task_id: job(task_id, status=status)})) == 1


def test_answer_to_another_input_is_found(task_id):
    mixed_up = job(task_id, prediction=expected([[VALUE + 1, 0.0, 0.0]]))

    assert len(invariants.wrong_results({task_id: mixed_up})) == 1


def test_well_behaved_input_that_failed_is_found(task_id):
    failed = {"status": "failed", "prediction": None, "error": "gave up"}

    assert len(invariants.wrong_results({task_id: job(task_id, **failed)})) == 1
    assert invariants.wrong_results({task_id: job(task_id, model=HOSTILE, **failed)}) == []


def test_second_end_is_found(task_id):
    assert len(invariants.ended_twice({task_id: [("succeeded", 1), ("queued", 1), ("failed", 2)]})) == 1


@pytest.mark.parametrize("attempts", [(1, 0), (1, 2, 3, 4)])
def test_attempts_that_shrink_or_pass_the_limit_are_found(task_id, attempts):
    told = {task_id: [("running", number) for number in attempts]}

    assert len(invariants.wrong_attempts(told, {task_id: job(task_id)})) == 1


def test_attempts_up_to_the_rows_own_limit_are_no_violation(task_id):
    told = {task_id: [("running", number) for number in (1, 2, 3, 4)]}

    assert invariants.wrong_attempts(told, {task_id: job(task_id, attempt_limit=4)}) == []
    assert len(invariants.wrong_attempts(told, {task_id: job(task_id, attempt_limit=3)})) == 1


def test_percentile_is_the_nearest_rank():
    assert percentile([float(number) for number in range(1, 101)], 95) == 95.0
    assert percentile([], 99) == 0.0
