"""Workers that are told to stop, or that nothing reaches any more: they end in time and lose no job."""

import signal
import time

import pytest
from celery import Celery

from tests.integration.parts import Process, Redis, running_postgres, temporary_folder, wait_until
from tests.integration.worker import hostile_model
from tests.integration.worker.conftest import DONE_S, Stack, migrate, save_model
from tests.integration.worker.steps import wait_for_claim

pytestmark = pytest.mark.integration

SOFT_SHUTDOWN_S = 1.0
LIMIT_S = SOFT_SHUTDOWN_S + 5.0
STUBBORN = {
    "SOFT_SHUTDOWN_S": str(SOFT_SHUTDOWN_S),
    "TASK_SOFT_TIME_LIMIT_S": "50",
    "TASK_TIME_LIMIT_S": "60",
    "LEASE_S": "60",
}
"""A task that outlives the stop, with a lease so long that no test waits for it."""


def seconds_to_stop(worker: Process) -> float:
    began = time.monotonic()
    worker.stop(signal.SIGTERM)
    return time.monotonic() - began


def test_unfinished_job_is_handed_over_at_once_and_its_attempt_granted_anew(stack: Stack) -> None:
    worker = stack.worker(**STUBBORN)
    task_id = stack.insert(hostile_model.SLEEP + 40.0)
    stack.send(task_id)
    wait_for_claim(stack, task_id)

    assert seconds_to_stop(worker) < LIMIT_S

    job = stack.job(task_id)
    assert (job["status"], job["attempts"], job["attempt_limit"]) == ("queued", 1, 4)
    assert [(status, attempt) for status, attempt, _ in stack.story(task_id)] == [
        ("queued", 0),
        ("running", 1),
        ("queued", 1),
    ]
    assert "unfinished jobs handed over" in worker.output
    assert stack.postgres.rows("SELECT name FROM workers") == []


def test_workers_stop_in_time_with_postgres_and_redis_gone() -> None:
    with temporary_folder() as folder:
        redis = Redis(folder)
        redis.start()
        with running_postgres(folder) as postgres, Celery(broker=redis.url, set_as_current=False) as client:
            migrate(postgres)
            save_model(folder / "models", "hostile")
            stack = Stack(folder, postgres, redis, client)
            busy = stack.worker(**STUBBORN)
            task_id = stack.insert(hostile_model.SLEEP + 40.0)
            stack.send(task_id)
            wait_for_claim(stack, task_id)
            idle = stack.worker(**STUBBORN)
            client.pool.force_close_all()
        redis.stop()

        assert seconds_to_stop(idle) < LIMIT_S
        assert seconds_to_stop(busy) < LIMIT_S
        stack.end_processes()


def test_worker_that_takes_nothing_ends_itself_and_is_counted(stack: Stack) -> None:
    worker = stack.worker(PROGRESS_TIMEOUT_S="2")
    task_id = stack.insert(1.0)
    stack.postgres.rows("UPDATE predictions SET sent_at = now() WHERE task_id = %s", task_id)

    wait_until(lambda: not worker.running, timeout_s=DONE_S, what="the worker's end")

    assert worker.output.count("worker takes nothing, ending itself") == 1
    [(name, reason)] = stack.postgres.rows("SELECT worker, reason FROM worker_ends")
    assert str(name).startswith("celery@")
    assert reason == "wake-ups were sent and none was taken"


def test_worker_that_is_merely_busy_goes_on(stack: Stack) -> None:
    worker = stack.worker(PROGRESS_TIMEOUT_S="1", BATCH_SIZE="1")
    blocker, waiting = stack.insert(hostile_model.SLEEP + 3.0), stack.insert(1.0)
    stack.send(blocker, waiting)
    stack.postgres.rows("UPDATE predictions SET sent_at = now()")

    assert stack.finished(waiting)["status"] == "succeeded"
    assert worker.running
    assert stack.postgres.rows("SELECT count(*) FROM worker_ends") == [(0,)]
