"""Too many unfinished jobs: 429 for one caller, 503 in all, and when to come again."""

import pytest
from inference_api.shedding import RETRY_UNKNOWN_S, retry_after_s

from tests.unit.functions.gateway import Predict, Results
from tests.unit.functions.jobs import FAILED, ID, QUEUED, with_id

ROW = '{"features": [1, 2, 3, 4]}'


def fill(predict: Predict, *callers: str) -> None:
    for number, caller in enumerate(callers):
        headers = {"X-Api-Key": caller, "Idempotency-Key": str(number)}
        assert predict.post(ROW, headers=headers).status == 202


def test_caller_with_too_many_unfinished_jobs_is_429_and_others_are_not(predict: Predict) -> None:
    fill(predict, "a", "a", "a")
    answer = predict.post(ROW, headers={"X-Api-Key": "a"})
    assert (answer.status, answer.body["type"]) == (429, "urn:inference:problem:caller-full")
    assert int(answer.headers["Retry-After"]) == RETRY_UNKNOWN_S
    assert predict.post(ROW, headers={"X-Api-Key": "b"}).status == 202
    assert len(predict.wakeups.sent) == 4


def test_full_platform_is_503_for_everybody(predict: Predict) -> None:
    fill(predict, "a", "a", "b", "b", "c")
    answer = predict.post(ROW, headers={"X-Api-Key": "d"})
    assert (answer.status, answer.body["type"]) == (503, "urn:inference:problem:system-full")
    assert int(answer.headers["Retry-After"]) >= 1


def test_repeated_submit_is_answered_while_there_is_no_room(predict: Predict) -> None:
    fill(predict, "a", "a", "a")
    answer = predict.post(ROW, headers={"X-Api-Key": "a", "Idempotency-Key": "0"})
    assert (answer.status, answer.headers["Idempotency-Replayed"]) == (202, "true")


def test_refusal_says_when_a_tenth_of_what_waits_is_done(predict: Predict) -> None:
    fill(predict, "a", "a", "a")
    predict.jobs.finished_per_s = 0.2
    assert predict.post(ROW, headers={"X-Api-Key": "a"}).headers["Retry-After"] == "2"


@pytest.mark.parametrize(
    ("waiting", "finished_per_s", "expected_s"),
    [(1000, 100.0, 1), (5000, 100.0, 5), (1000, 1.0, 60), (1, 1000.0, 1), (5000, 0.0, RETRY_UNKNOWN_S)],
)
def test_retry_after_follows_the_drain_rate_within_bounds(
    waiting: int, finished_per_s: float, expected_s: int
) -> None:
    assert retry_after_s(waiting, finished_per_s) == expected_s


def test_requeue_without_room_is_429(results: Results) -> None:
    results.jobs.jobs = {job.task_id: job for job in (FAILED, *(with_id(QUEUED, n) for n in range(3)))}
    answer = results.requeue(ID)
    assert (answer.status, answer.body["type"]) == (429, "urn:inference:problem:caller-full")
    assert results.jobs.jobs[ID] is FAILED


def test_requeue_with_the_platform_full_is_503(results: Results) -> None:
    waiting = [with_id(QUEUED, n) for n in range(5)]
    results.jobs.jobs = {job.task_id: job for job in (FAILED, *waiting)}
    results.jobs.callers = {job.task_id: "key:of-somebody-else" for job in waiting}
    assert results.requeue(ID).status == 503
