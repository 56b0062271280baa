"""Workers answer questions, obey no command, and do neither at the cost of their work."""

from contextlib import suppress

import kombu.exceptions
import pytest
import redis
from celery import Celery

from tests.integration.parts import wait_until
from tests.integration.worker.conftest import DONE_S, Stack

ANSWER_S = 1.0

pytestmark = pytest.mark.integration


@pytest.fixture
def asking(stack: Stack) -> Celery:
    """What Flower is to a worker: a plain client of the same broker."""
    return stack.client


def answers(app: Celery) -> dict[str, object]:
    # The client's own connection may have died with Redis.
    with suppress(redis.RedisError, kombu.exceptions.OperationalError):
        return app.control.inspect(timeout=ANSWER_S).ping() or {}
    return {}


def wait_for_an_answer(app: Celery) -> None:
    wait_until(lambda: answers(app), timeout_s=DONE_S, what="an answer")


def test_worker_is_asked_and_shows_no_password(stack: Stack, asking: Celery) -> None:
    stack.worker(BROKER_URL=stack.redis.url.replace("redis://", "redis://:hush@"))
    wait_for_an_answer(asking)
    ask = asking.control.inspect(timeout=ANSWER_S)

    [stats] = ask.stats().values()
    [settings] = ask.conf(with_defaults=True).values()

    assert stats["pool"]["max-concurrency"] == 1
    assert settings["task_acks_late"] is True
    assert "hush" not in f"{stats} {settings}"


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("shutdown", {}),
        ("cancel_consumer", {"queue": "predictions"}),
        ("rate_limit", {"task_name": "inference.run_prediction", "rate_limit": "1/h"}),
        ("pool_shrink", {"n": 1}),
        ("time_limit", {"task_name": "inference.run_prediction", "hard": 0.001}),
    ],
)
def test_command_is_refused_and_work_goes_on(
    stack: Stack, asking: Celery, command: str, arguments: dict[str, object]
) -> None:
    worker = stack.worker()
    wait_for_an_answer(asking)

    asking.control.broadcast(command, arguments=arguments, reply=False)

    wait_until(
        lambda: "workers are asked, not steered" in worker.output, timeout_s=DONE_S, what="the refusal"
    )
    ids = [stack.insert(1.0), stack.insert(2.0)]
    stack.send(*ids)
    for task_id in ids:
        assert stack.finished(task_id)["status"] == "succeeded"
    assert worker.running


def test_rubbish_in_the_broadcast_hurts_nobody(stack: Stack, asking: Celery) -> None:
    worker = stack.worker()
    wait_for_an_answer(asking)

    with stack.redis.client() as client:
        for rubbish in (b"rubbish", b"7", b"{}", b"[" * 100_000, b'{"body": "e30=", "properties": 1}'):
            client.publish("/0.celery.pidbox", rubbish)
    task_id = stack.insert(1.0)
    stack.send(task_id)

    assert stack.finished(task_id)["status"] == "succeeded"
    assert worker.running
    wait_for_an_answer(asking)


def test_worker_works_and_answers_after_redis_was_gone(stack: Stack, asking: Celery) -> None:
    worker = stack.worker()
    wait_for_an_answer(asking)

    for _ in range(3):
        stack.redis.stop()
        stack.redis.start()
        task_id = stack.insert(1.0)
        stack.send(task_id)
        assert stack.finished(task_id)["status"] == "succeeded"

    assert worker.running
    wait_for_an_answer(asking)


def test_events_tell_of_tasks_by_their_ids_alone(stack: Stack, asking: Celery) -> None:
    stack.worker()
    task_id = stack.insert(123.0625)
    told: list[dict[str, object]] = []

    with asking.connection() as connection:
        receiver = asking.events.Receiver(connection, handlers={"*": told.append})
        with receiver.consumer_context(wakeup=False) as (own, _, _):
            stack.send(task_id)
            wait_until(
                lambda: _read(own) or any(event["type"] == "task-succeeded" for event in told),
                timeout_s=DONE_S,
                what="the event",
            )

    assert {str(event["type"]) for event in told} >= {"task-received", "task-started", "task-succeeded"}
    assert "123.0625" not in str(told)


def _read(connection: object) -> None:
    with suppress(TimeoutError):
        connection.drain_events(timeout=ANSWER_S)  # type: ignore[attr-defined]
