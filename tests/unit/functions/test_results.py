"""`GET /results/{task_id}`: a job as it is now, or as it ends while the caller waits."""

from dataclasses import replace

import pytest
from inference_contract.job import JobStatus

from tests.unit.functions.gateway import Results
from tests.unit.functions.jobs import ID, QUEUED, SUCCEEDED


def test_queued_job_is_200_and_says_when_to_ask_again(results: Results) -> None:
    results.jobs.jobs[ID] = QUEUED
    answer = results.get(ID)
    assert (answer.status, answer.headers["Retry-After"]) == (200, "1")
    assert answer.body == {
        "task_id": ID,
        "status": "queued",
        "model": {"name": "iris", "version": "1"},
        "predictions": None,
        "error": None,
        "attempts": 0,
        "submitted_at": "2026-01-02T03:04:05.678Z",
        "started_at": None,
        "finished_at": None,
    }


def test_succeeded_job_has_its_predictions_and_utc_times(results: Results) -> None:
    results.jobs.jobs[ID] = SUCCEEDED
    answer = results.get(ID)
    assert "Retry-After" not in answer.headers
    probabilities = {"setosa": 0.9, "virginica": 0.1}
    assert answer.body["predictions"] == [{"label": "setosa", "probabilities": probabilities}]
    assert answer.body["started_at"] == "2026-01-02T03:04:06.000Z"


def test_failed_job_is_200_with_its_error(results: Results) -> None:
    finished_at = QUEUED.submitted_at
    results.jobs.jobs[ID] = replace(
        QUEUED, status=JobStatus.FAILED, error="gave up", finished_at=finished_at, attempts=3
    )
    answer = results.get(ID)
    assert (answer.status, answer.body["status"], answer.body["error"]) == (200, "failed", "gave up")


def test_id_is_found_in_capitals_too(results: Results) -> None:
    results.jobs.jobs[ID] = QUEUED
    assert results.get(ID.upper()).status == 200


def test_unknown_id_is_404_also_when_waiting(results: Results) -> None:
    for query in ({}, {"wait": ["5"]}):
        answer = results.get(ID, **query)
        assert (answer.status, answer.body["type"]) == (404, "urn:inference:problem:unknown-task")
        assert answer.body["instance"] == f"/results/{ID}"
    assert results.jobs.now_s == 0


@pytest.mark.parametrize(
    "given", ["1", "nope", ID[:-1], f"{{{ID}}}", ID.replace("-", ""), "\ud800", "x" * 9999]
)
def test_what_is_no_uuid_is_404_that_says_so_without_a_question(results: Results, given: str) -> None:
    answer = results.get(given)
    assert (answer.status, results.jobs.finds) == (404, 0)
    assert "UUID" in answer.body["detail"]
    assert len(answer.body["detail"]) < 200


def test_dead_database_is_503_with_retry_after(results: Results) -> None:
    results.jobs.down = True
    answer = results.get(ID)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")


@pytest.mark.parametrize("wait", [["-1"], ["21"], ["abc"], [""], ["nan"], ["1", "2"], ["1e1"], ["٣"]])
def test_wait_that_is_no_number_of_seconds_in_range_is_400(results: Results, wait: list[str]) -> None:
    answer = results.get(ID, wait=wait)
    assert (answer.status, answer.body["type"]) == (400, "urn:inference:problem:invalid-query")


def test_final_job_is_answered_without_listening(results: Results) -> None:
    results.jobs.jobs[ID] = SUCCEEDED
    assert results.get(ID, wait=["20"]).body["status"] == "succeeded"
    assert (results.jobs.finds, results.jobs.now_s) == (1, 0)


def end_at(results: Results, second: float) -> None:
    results.jobs.events[second] = lambda: results.jobs.jobs.update({ID: SUCCEEDED})


def test_end_is_heard_of_at_once(results: Results) -> None:
    results.jobs.jobs[ID] = QUEUED
    end_at(results, 3.2)
    assert results.get(ID, wait=["20"]).body["status"] == "succeeded"
    assert results.jobs.now_s == pytest.approx(3.2)
    assert results.jobs.listeners == 0


def test_wait_ends_after_its_seconds(results: Results) -> None:
    results.jobs.jobs[ID] = QUEUED
    end_at(results, 2.6)
    assert results.get(ID, wait=["2.5"]).body["status"] == "queued"
    assert results.jobs.now_s == pytest.approx(2.5)


def test_end_between_the_first_look_and_the_listening_is_seen(results: Results) -> None:
    results.jobs.jobs[ID] = QUEUED
    end_at(results, 0.0)
    assert results.get(ID, wait=["20"]).body["status"] == "succeeded"
    assert (results.jobs.finds, results.jobs.now_s) == (2, 0)


def test_wait_leaves_the_function_time_to_answer(results: Results) -> None:
    results.jobs.jobs[ID] = QUEUED
    results.gateway.context = replace(results.gateway.context, remaining_s=8.0)
    assert results.get(ID, wait=["20"]).body["status"] == "queued"
    assert results.jobs.now_s == pytest.approx(5.0)


def test_without_time_left_it_does_not_wait_at_all(results: Results) -> None:
    results.jobs.jobs[ID] = QUEUED
    results.gateway.context = replace(results.gateway.context, remaining_s=1.0)
    assert results.get(ID, wait=["20"]).status == 200
    assert results.jobs.now_s == 0
