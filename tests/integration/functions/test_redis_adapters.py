"""Wake-ups and pings over a real Redis: what is on the queue, and what a fault costs."""

import base64
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from inference_api.broker_ping import BrokerPing
from inference_api.errors import BrokerUnavailableError
from inference_api.task_sender import BUDGET_S, TaskSender
from inference_contract.names import QUEUE_PREDICTIONS, TASK_RUN_PREDICTION

from tests.integration.parts import ROOT, Redis

pytestmark = pytest.mark.integration

SLACK_S = 0.5
PAUSE_MS = 2500
FIRST_SEND = """
import os, sys
from inference_api.task_sender import TaskSender
sender = TaskSender(os.environ["BROKER_URL"])
before = set(sys.modules)
sender.send("0f8fad5b-d9cb-469f-a165-70867728950e", "request-1")
print(*(name for name in set(sys.modules) - before if name.split(".")[0] in {"celery", "kombu", "redis"}))
"""


@contextmanager
def takes_at_most(limit_s: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < limit_s


@contextmanager
def frozen(redis: Redis) -> Iterator[None]:
    """Let the server accept connections and answer nothing; the last line is answered when that is over."""
    with redis.client() as client:
        client.execute_command("CLIENT", "PAUSE", PAUSE_MS)
        yield
        client.execute_command("PING")


def queue_length(redis: Redis) -> int:
    with redis.client() as client:
        return int(client.execute_command("LLEN", QUEUE_PREDICTIONS))


def test_wake_up_names_the_task_and_carries_both_ids(redis: Redis, sender: TaskSender) -> None:
    task_id = str(uuid.uuid4())
    sender.send(task_id, "request-1")
    with redis.client() as client:
        message = json.loads(client.execute_command("RPOP", QUEUE_PREDICTIONS))
    assert (message["headers"]["task"], message["headers"]["id"]) == (TASK_RUN_PREDICTION, task_id)
    assert message["headers"]["ignore_result"] is True
    assert message["properties"]["correlation_id"] == "request-1"
    assert message["content-type"] == "application/json"
    assert json.loads(base64.b64decode(message["body"]))[0] == [task_id]


def test_first_wake_up_finds_all_that_it_needs_imported(redis: Redis) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'functions' / 'common'}:{ROOT / 'contract'}",
        "BROKER_URL": redis.url,
    }
    done = subprocess.run(
        [sys.executable, "-c", FIRST_SEND], env=environment, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) <= {"celery.utils.deprecated"}
    assert queue_length(redis) == 1


def test_restarted_broker_is_found_again_silently(redis: Redis, sender: TaskSender) -> None:
    sender.send(str(uuid.uuid4()), "request-1")
    redis.stop()
    redis.start()
    sender.send(str(uuid.uuid4()), "request-2")
    assert queue_length(redis) == 1


def test_dead_broker_is_told_at_once_and_every_time(redis: Redis, sender: TaskSender) -> None:
    sender.send(str(uuid.uuid4()), "request-1")
    redis.stop()
    for _ in range(3):
        with takes_at_most(SLACK_S), pytest.raises(BrokerUnavailableError):
            sender.send(str(uuid.uuid4()), "request-1")


def test_broker_that_does_not_answer_costs_the_budget_and_no_more(redis: Redis, sender: TaskSender) -> None:
    sender.send(str(uuid.uuid4()), "request-1")
    with frozen(redis):
        for _ in range(2):
            with takes_at_most(BUDGET_S + SLACK_S), pytest.raises(BrokerUnavailableError):
                sender.send(str(uuid.uuid4()), "request-1")
    sender.send(str(uuid.uuid4()), "request-1")


def test_ping_tells_a_living_broker_from_a_dead_one(redis: Redis) -> None:
    ping = BrokerPing(redis.url).ping
    ping()
    redis.stop()
    with takes_at_most(SLACK_S), pytest.raises(BrokerUnavailableError):
        ping()
    redis.start()
    ping()


def test_ping_of_a_broker_that_does_not_answer_ends(redis: Redis) -> None:
    ping = BrokerPing(redis.url).ping
    ping()
    with frozen(redis), takes_at_most(3 * BUDGET_S), pytest.raises(BrokerUnavailableError):
        ping()
