"""Leases that lapse, processes that die, models that kill: each job still ends, once."""

import signal

import pytest

from tests.integration.parts import wait_until
from tests.integration.worker import hostile_model
from tests.integration.worker.conftest import DONE_S, Stack
from tests.integration.worker.steps import kill_holder, wait_for_claim

pytestmark = pytest.mark.integration


def test_result_of_a_lost_claim_changes_nothing(stack: Stack) -> None:
    worker = stack.worker()
    task_id = stack.insert(hostile_model.SLEEP + 1.0)
    stack.send(task_id)
    wait_for_claim(stack, task_id)

    stack.postgres.rows("UPDATE predictions SET attempts = attempts + 1 WHERE task_id = %s", task_id)

    wait_until(lambda: "claim lost" in worker.output, timeout_s=DONE_S, what="the late write")
    assert stack.job(task_id)["status"] == "running"


def test_lapsed_lease_brings_the_job_back(stack: Stack) -> None:
    task_id = stack.insert(1.0)
    stack.postgres.rows(
        "UPDATE predictions SET status = 'running', attempts = 1, lease_until = now() - interval '1 minute'"
        " WHERE task_id = %s",
        task_id,
    )
    stack.worker()
    stack.beat()

    job = stack.finished(task_id)

    assert (job["status"], job["attempts"]) == ("succeeded", 2)


def test_lapsed_lease_at_the_attempt_limit_is_a_failure_with_its_reason(stack: Stack) -> None:
    task_id = stack.insert(1.0)
    stack.postgres.rows(
        "UPDATE predictions SET status = 'running', attempts = 3, lease_until = now() WHERE task_id = %s",
        task_id,
    )
    stack.worker()
    stack.beat()

    job = stack.finished(task_id)

    assert (job["status"], job["attempts"]) == ("failed", 3)
    assert "gave up" in str(job["error"])


def test_lease_outlives_its_first_term_while_the_model_works(stack: Stack) -> None:
    stack.worker(concurrency=2)
    stack.beat()
    task_id = stack.insert(hostile_model.SLEEP + 3.0)
    stack.send(task_id)

    assert stack.finished(task_id)["attempts"] == 1


def test_job_of_a_killed_child_is_done_at_the_second_attempt(stack: Stack) -> None:
    stack.worker()
    stack.beat()
    task_id = stack.insert(hostile_model.SLEEP + 1.0)
    stack.send(task_id)
    kill_holder(stack, task_id)

    job = stack.finished(task_id)

    assert (job["status"], job["attempts"]) == ("succeeded", 2)


def test_jobs_of_a_killed_worker_are_done_by_the_next(stack: Stack) -> None:
    worker = stack.worker()
    task_id = stack.insert(hostile_model.SLEEP + 1.0)
    stack.send(task_id)
    wait_for_claim(stack, task_id)
    worker.kill()
    stack.worker()
    stack.beat()

    job = stack.finished(task_id)

    assert (job["status"], job["attempts"]) == ("succeeded", 2)


def test_worker_that_is_told_to_stop_leaves_no_trace_and_fails_nothing(stack: Stack) -> None:
    worker = stack.worker()
    task_id = stack.insert(hostile_model.SLEEP + 1.0)
    stack.send(task_id)
    wait_for_claim(stack, task_id)

    worker.stop(signal.SIGTERM)

    assert stack.job(task_id)["status"] == "succeeded"
    assert stack.postgres.rows("SELECT name FROM workers") == []
    assert "stop took too long" not in worker.output
