"""Redis that restarts, forgets, or holds what is none of ours."""

import base64
import json

import pytest
from inference_contract.names import QUEUE_PREDICTIONS, TASK_RUN_PREDICTION

from tests.integration.parts import wait_until
from tests.integration.worker import hostile_model
from tests.integration.worker.conftest import DONE_S, Stack
from tests.integration.worker.steps import wait_for_claim

pytestmark = pytest.mark.integration

PICKLE = json.dumps(
    {
        "body": base64.b64encode(b"cos\nsystem\n(S'exit 1'\ntR.").decode(),
        "content-type": "application/x-python-serialize",
        "content-encoding": "binary",
        "headers": {"lang": "py", "task": TASK_RUN_PREDICTION, "id": "rubbish", "retries": 0},
        "properties": {
            "correlation_id": "rubbish",
            "delivery_info": {"exchange": "", "routing_key": QUEUE_PREDICTIONS},
            "body_encoding": "base64",
            "delivery_tag": "rubbish",
        },
    }
).encode()
RESTARTS = 4
"""Of its connections, the worker sees now the one lost first, and now the other."""
RUBBISH = (
    b"not JSON",
    b"\xff\xfe\x00",
    b"[1, 2, 3]",
    b"{}",
    b'{"__type__": "uuid", "__value__": {}}',
    b"[" * 100_000,
    b'"' + b"x" * 10_000_000 + b'"',
    PICKLE,
    PICKLE.replace(b"application/x-python-serialize", b"application/json").replace(b"binary", b"utf-8"),
    PICKLE.replace(b"inference.run_prediction", b"celery.backend_cleanup"),
)


def test_worker_consumes_again_after_redis_restarts(stack: Stack) -> None:
    worker = stack.worker()
    stack.beat()
    for _ in range(RESTARTS):
        stack.redis.stop()
        unsent = stack.insert(1.0)
        stack.redis.start()
        sent = stack.insert(2.0)
        stack.send(sent)

        assert stack.finished(sent)["status"] == "succeeded"
        assert stack.finished(unsent)["status"] == "succeeded"
    assert worker.running


def test_worker_whose_slots_all_wait_for_lost_acknowledgements_consumes_again(stack: Stack) -> None:
    stack.worker()
    held = stack.insert(hostile_model.SLEEP + 1.0)
    stack.send(held)
    wait_for_claim(stack, held)
    stack.redis.stop()
    stack.finished(held)
    stack.redis.start()
    later = stack.insert(1.0)
    stack.send(later)

    assert stack.finished(later)["status"] == "succeeded"


def test_wiped_redis_loses_no_job(stack: Stack) -> None:
    task_ids = [stack.insert(float(number)) for number in range(20)]
    stack.send(*task_ids)
    stack.postgres.rows("UPDATE predictions SET sent_at = now()")
    stack.worker(BATCH_SIZE="1")
    with stack.redis.client() as client:
        client.flushall()
    stack.beat()

    for task_id in task_ids:
        assert stack.finished(task_id)["status"] == "succeeded"


def test_rubbish_is_refused_and_the_worker_stays_up(stack: Stack) -> None:
    worker = stack.worker()
    with stack.redis.client() as client:
        for rubbish in RUBBISH:
            client.lpush(QUEUE_PREDICTIONS, rubbish)
    task_id = stack.insert(1.0)
    stack.send(task_id)

    assert stack.finished(task_id)["status"] == "succeeded"
    assert worker.running
    assert worker.output.count('"message": "message refused"') == len(RUBBISH)
    with stack.redis.client() as client:
        wait_until(lambda: client.hlen("unacked") == 0, timeout_s=DONE_S, what="the last acknowledgement")
