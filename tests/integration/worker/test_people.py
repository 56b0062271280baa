"""What people do with tasks: look, cancel, queue again; and what the story says of it."""

import json
import uuid

import pytest

from tests.integration.parts import wait_until
from tests.integration.worker import hostile_model
from tests.integration.worker.conftest import DONE_S, Stack
from tests.integration.worker.steps import wait_for_claim

pytestmark = pytest.mark.integration


BROKEN_MODEL = """
CREATE FUNCTION fail_again() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    UPDATE predictions SET status = 'failed', finished_at = clock_timestamp() WHERE task_id = NEW.task_id;
    RETURN NULL;
END $$;
CREATE TRIGGER fails_again AFTER UPDATE OF status ON predictions
    FOR EACH ROW WHEN (NEW.status = 'queued') EXECUTE FUNCTION fail_again();
"""


def fail(stack: Stack, task_id: str) -> None:
    stack.postgres.rows(
        "UPDATE predictions SET status = 'failed', attempts = 3, error = 'gave up', finished_at = now()"
        " WHERE task_id = %s",
        task_id,
    )


def test_result_of_a_task_cancelled_while_it_ran_is_dropped(stack: Stack) -> None:
    worker = stack.worker()
    task_id = stack.insert(hostile_model.SLEEP + 2.0)
    stack.send(task_id)
    wait_for_claim(stack, task_id)

    with stack.postgres.listening("prediction_finished") as notifications:
        cancelled = stack.tasks_cli("cancel", task_id)
        told = wait_until(notifications, timeout_s=DONE_S, what="the notification")

    assert (cancelled.returncode, told) == (0, [task_id])
    wait_until(lambda: "claim lost" in worker.output, timeout_s=DONE_S, what="the late write")
    job = stack.job(task_id)
    assert (job["status"], job["prediction"], job["lease_until"]) == ("cancelled", None, None)
    assert stack.tasks_cli("cancel", task_id).returncode == 1


def test_task_cancelled_while_it_runs_makes_room_for_the_next(stack: Stack) -> None:
    stack.worker(concurrency=1, TASK_TIME_LIMIT_S="100", TASK_SOFT_TIME_LIMIT_S="90")
    cancelled, following = stack.insert(hostile_model.SLEEP + 80.0), stack.insert(1.0, model="neighbour")
    stack.send(cancelled)
    wait_for_claim(stack, cancelled)
    assert stack.tasks_cli("cancel", cancelled).returncode == 0

    stack.send(following)

    assert stack.finished(following)["status"] == "succeeded"
    assert stack.job(cancelled)["status"] == "cancelled"


def test_failed_task_runs_again_and_its_story_reads_well(stack: Stack) -> None:
    worker = stack.worker()
    task_id = stack.insert(1.0)
    fail(stack, task_id)
    stack.beat()

    assert stack.tasks_cli("requeue", task_id).returncode == 0
    job = stack.finished(task_id)

    assert (job["status"], job["attempts"], job["attempt_limit"], job["error"]) == ("succeeded", 4, 6, None)
    shown = json.loads(stack.tasks_cli("show", task_id, "--json").stdout)
    who = [step["who"] for step in shown["story"]]
    assert who[2].startswith("tasks cli ")
    assert who[3] == who[4] == f"worker {job['worker']}"
    assert str(job["worker"]).startswith("celery@")
    assert worker.running


def test_all_failed_tasks_are_queued_again_in_steps(stack: Stack) -> None:
    for _ in range(250):
        fail(stack, stack.insert(1.0))
    other = stack.insert(1.0, model="neighbour")
    fail(stack, other)

    result = stack.tasks_cli("requeue", "--all-failed", "--model", "hostile")

    assert result.stdout == "queued again: 250\n"
    assert stack.job(other)["status"] == "failed"


def test_tasks_that_fail_again_at_once_are_queued_once(stack: Stack) -> None:
    for _ in range(250):
        fail(stack, stack.insert(1.0))
    stack.postgres.rows(BROKEN_MODEL)
    try:
        result = stack.tasks_cli("requeue", "--all-failed")
    finally:
        stack.postgres.rows("DROP FUNCTION fail_again CASCADE")

    assert result.stdout == "queued again: 250\n"
    limits = stack.postgres.rows("SELECT DISTINCT status, attempt_limit FROM predictions")
    assert limits == [("failed", 6)]


def test_tasks_are_listed_as_they_are_stored(stack: Stack) -> None:
    failed, queued = stack.insert(1.0), stack.insert(2.0)
    fail(stack, failed)

    everything = json.loads(stack.tasks_cli("list", "--since", "1h", "--json").stdout)
    only_failed = json.loads(stack.tasks_cli("list", "--status", "failed", "--json").stdout)

    assert [task["task_id"] for task in everything] == [queued, failed]
    assert [task["task_id"] for task in only_failed] == [failed]
    assert failed in stack.tasks_cli("list", "--model", "hostile", "--caller", "unknown").stdout


def test_unknown_and_expired_tasks_are_told_apart(stack: Stack) -> None:
    gone = str(uuid.uuid4())
    stack.postgres.rows("INSERT INTO expired (task_id, caller) VALUES (%s, 'unknown')", gone)

    unknown, expired = stack.tasks_cli("show", str(uuid.uuid4())), stack.tasks_cli("requeue", gone)

    assert (unknown.returncode, expired.returncode) == (1, 1)
    assert "there is no task" in unknown.stderr
    assert "has expired" in expired.stderr
