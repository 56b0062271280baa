"""What the queue may hold: rubbish, copies, late messages, and nothing at all."""

import base64
import json

import pytest
from celery import Celery
from inference_contract.names import QUEUE_PREDICTIONS, TASK_RUN_PREDICTION

from tests.faults.conftest import UnderLoad
from tests.faults.fault_stack import FaultStack
from tests.faults.pure_model import HOSTILE, Action

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(300)]

COPIES = 100
BUSY_S = 2.0
HUGE_BYTES = 10_000_000
PICKLED_CALL = base64.b64encode(b"cos\nsystem\n(S'exit 1'\ntR.").decode()


def _envelope(task: str, content_type: str = "application/json", encoding: str = "utf-8") -> bytes:
    return json.dumps(
        {
            "body": PICKLED_CALL,
            "content-type": content_type,
            "content-encoding": encoding,
            "headers": {"lang": "py", "task": task, "id": "rubbish", "retries": 0},
            "properties": {
                "correlation_id": "rubbish",
                "delivery_info": {"exchange": "", "routing_key": QUEUE_PREDICTIONS},
                "body_encoding": "base64",
                "delivery_tag": "rubbish",
            },
        }
    ).encode()


RUBBISH = (
    b"not JSON",
    b"\xff\xfe\x00",
    b"{}",
    b"[" * 100_000,
    b'"' + b"x" * HUGE_BYTES + b'"',
    _envelope(TASK_RUN_PREDICTION, "application/x-python-serialize", "binary"),
    _envelope(TASK_RUN_PREDICTION),
    _envelope("celery.backend_cleanup"),
)


@pytest.mark.faults_core
def test_rubbish_is_refused_counted_and_never_executed(under_load: UnderLoad, stack: FaultStack) -> None:
    worker = stack.pid_of("worker")
    refused = stack.log_of("worker").count('"message refused"')

    with under_load("rubbish in Redis") as episode, stack.redis() as client:
        for rubbish in RUBBISH:
            client.lpush(QUEUE_PREDICTIONS, rubbish)
        episode.over()

    assert stack.pid_of("worker") == worker
    assert stack.log_of("worker").count('"message refused"') == refused + len(RUBBISH)


@pytest.mark.faults_core
def test_task_delivered_a_hundred_times_runs_once(under_load: UnderLoad, stack: FaultStack) -> None:
    with under_load("one task delivered 100 times") as episode:
        task_id = episode.client.submit(Action.SLEEP, BUSY_S, model=HOSTILE).task_id
        _deliver(stack, task_id, COPIES - 1)
        episode.over()

    assert (episode.job(task_id).status, episode.job(task_id).attempts) == ("succeeded", 1)
    assert _claims(stack, task_id) == 1


def _deliver(stack: FaultStack, task_id: str | None, times: int) -> None:
    """Publish wake-ups on a connection of its own: Celery keeps its pools, closed ones too."""
    with (
        Celery(broker=stack.broker_url, set_as_current=False) as client,
        client.connection_for_write() as connection,
    ):
        for _ in range(times):
            client.send_task(
                TASK_RUN_PREDICTION, args=[task_id], queue=QUEUE_PREDICTIONS, connection=connection
            )


def _claims(stack: FaultStack, task_id: str | None) -> int:
    query = "SELECT count(*) FROM transitions WHERE task_id = %s AND to_status = 'running'"
    [(count,)] = stack.rows(query, task_id)
    return int(count)
