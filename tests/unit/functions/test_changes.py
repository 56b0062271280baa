"""`DELETE /results/{task_id}` and `POST /results/{task_id}/requeue`."""

from dataclasses import replace

import pytest
from inference_contract.job import Job, JobStatus

from tests.unit.functions.gateway import Results
from tests.unit.functions.jobs import FAILED, ID, QUEUED, SUCCEEDED

RUNNING = replace(QUEUED, status=JobStatus.RUNNING, attempts=1, started_at=QUEUED.submitted_at)


@pytest.mark.parametrize("job", [QUEUED, RUNNING])
def test_unfinished_job_is_cancelled(results: Results, job: Job) -> None:
    results.jobs.jobs[ID] = job
    answer = results.cancel(ID)
    assert (answer.status, answer.body["status"], answer.body["task_id"]) == (200, "cancelled", ID)
    assert answer.body["finished_at"] is not None


def test_cancelling_twice_is_200_and_the_same_job(results: Results) -> None:
    results.jobs.jobs[ID] = QUEUED
    assert results.cancel(ID).body == results.cancel(ID).body


@pytest.mark.parametrize("job", [SUCCEEDED, FAILED])
def test_ended_job_cannot_be_cancelled(results: Results, job: Job) -> None:
    results.jobs.jobs[ID] = job
    answer = results.cancel(ID)
    assert (answer.status, answer.body["type"]) == (409, "urn:inference:problem:already-finished")
    assert results.jobs.jobs[ID] is job


def test_failed_job_is_queued_again(results: Results) -> None:
    results.jobs.jobs[ID] = FAILED
    answer = results.requeue(ID)
    assert (answer.status, answer.body["status"]) == (202, "queued")
    assert answer.body["attempts"] == FAILED.attempts
    assert [answer.body[name] for name in ("error", "started_at", "finished_at")] == [None] * 3
    assert answer.headers["Location"] == f"/results/{ID}"
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("status", [status for status in JobStatus if status is not JobStatus.FAILED])
def test_only_a_failed_job_can_be_queued_again(results: Results, status: JobStatus) -> None:
    results.jobs.jobs[ID] = replace(QUEUED, status=status)
    answer = results.requeue(ID)
    assert (answer.status, answer.body["type"]) == (409, "urn:inference:problem:not-failed")
    assert status.value in answer.body["detail"]


def test_requeue_takes_any_content_type(results: Results) -> None:
    results.jobs.jobs[ID] = FAILED
    assert results.requeue(ID, {"Content-Type": "application/x-www-form-urlencoded"}).status == 202


def test_unknown_id_is_404(results: Results) -> None:
    for task_id in (ID, "nope"):
        assert (results.cancel(task_id).status, results.requeue(task_id).status) == (404, 404)


def test_dead_database_is_503(results: Results) -> None:
    results.jobs.down = True
    assert (results.cancel(ID).status, results.requeue(ID).status) == (503, 503)
