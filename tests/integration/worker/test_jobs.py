"""A real worker on real Postgres and Redis, when all goes well or a model refuses its input."""

import pytest

from tests.integration.parts import wait_until
from tests.integration.worker import hostile_model
from tests.integration.worker.conftest import DONE_S, Stack
from tests.integration.worker.steps import label, wait_for_claim

pytestmark = pytest.mark.integration

COPIES = 100


def test_job_is_predicted_and_stored(stack: Stack) -> None:
    stack.worker()
    task_id = stack.insert(1.0, 2.0)
    stack.send(task_id)

    job = stack.finished(task_id)

    assert job["status"] == "succeeded"
    assert job["prediction"] == [
        {"label": "value 1", "probabilities": {"value 1": 1.0}},
        {"label": "value 2", "probabilities": {"value 2": 1.0}},
    ]
    assert job["attempts"] == 1


def test_end_of_a_job_is_told_once_to_those_who_listen(stack: Stack) -> None:
    stack.worker()
    with stack.postgres.listening("prediction_finished") as notifications:
        task_id = stack.insert(1.0)
        stack.send(task_id, task_id)
        stack.finished(task_id)

        told = wait_until(notifications, timeout_s=DONE_S, what="the notification")

    assert told == [task_id]


def test_hundred_deliveries_are_one_execution(stack: Stack) -> None:
    worker = stack.worker(concurrency=2)
    task_id = stack.insert(1.0)
    stack.send(*[task_id] * COPIES)
    stack.finished(task_id)

    last = stack.insert(2.0)
    stack.send(last)
    stack.finished(last)

    assert stack.job(task_id)["attempts"] == 1
    assert worker.output.count('"message": "job finished"') == 2


def test_two_workers_share_jobs_without_running_any_twice(stack: Stack) -> None:
    workers = [stack.worker(), stack.worker()]
    task_ids = [stack.insert(float(number)) for number in range(200)]
    stack.send(*task_ids, *task_ids)

    for number, task_id in enumerate(task_ids):
        job = stack.finished(task_id)
        assert job["attempts"] == 1
        assert label(job) == hostile_model.expected(number)

    outputs = [worker.output for worker in workers]
    assert sum(output.count('"message": "job finished"') for output in outputs) == len(task_ids)


def test_job_that_raises_fails_alone_with_its_reason(stack: Stack) -> None:
    blocker = stack.insert(hostile_model.SLEEP + 0.5)
    stack.worker()
    stack.send(blocker)
    wait_for_claim(stack, blocker)
    good, bad, exits = stack.insert(1.0), stack.insert(hostile_model.RAISE), stack.insert(hostile_model.EXIT)
    stack.send(good, bad, exits)

    assert label(stack.finished(good)) == "value 1"
    refused = stack.finished(bad)
    assert refused["error"] == "the model failed: ValueError: the value is refused"
    assert refused["attempts"] == 1
    assert stack.finished(exits)["status"] == "failed"


def test_postgres_that_hangs_up_is_connected_to_again(stack: Stack) -> None:
    stack.worker()
    first = stack.insert(1.0)
    stack.send(first)
    stack.finished(first)

    stack.postgres.end_connections_of("worker_user")
    second = stack.insert(2.0)
    stack.send(second)

    assert stack.finished(second)["attempts"] == 1
