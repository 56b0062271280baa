"""Processes that end at the two moments at which a job is in nobody's hands; the crashes are real."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from inference_contract.failpoint import PREDICT_AFTER_COMMIT, WORKER_AFTER_STORE
from inference_contract.names import QUEUE_PREDICTIONS

from stack.deployment import STACK_NAME
from tests.faults.conftest import UnderLoad
from tests.faults.episode import Episode, warm_up
from tests.faults.fault_stack import FaultStack
from tests.faults.limits import RECOVERY_S, SEND_GRACE_S, SUBMIT_WITHIN_S, VISIBILITY_S
from tests.faults.pure_model import HOSTILE
from tests.faults.recorder import ACCEPTED, Submitted
from tests.whole_stack import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(300)]

CRASHES_WITHIN_S = 60
REDELIVERED_WITHIN_S = VISIBILITY_S + 30
FUNCTION = f"{STACK_NAME}-predict"
UNSENT = """
SELECT task_id::text FROM predictions
WHERE model_name = %s AND (features -> 0 ->> 0)::float8 = %s AND sent_at IS NULL
"""
SENT_AFTER_S = "SELECT extract(epoch FROM sent_at - submitted_at)::float8 FROM predictions WHERE task_id = %s"
ONCE = [("queued", 0), ("running", 1), ("succeeded", 1)]
STORY = "SELECT to_status, attempt FROM transitions WHERE task_id = %s ORDER BY id"


def test_row_that_was_committed_and_never_sent_is_sent_by_the_sweeper(
    under_load: UnderLoad, stack: FaultStack
) -> None:
    with under_load("crash between commit and send", functions_die=True) as episode:
        with _crashing_function(stack):
            answer, task_id = eventually(lambda: _cut_off(episode), CRASHES_WITHIN_S)
        eventually(lambda: episode.client.submit().task_id, RECOVERY_S)
        episode.over()

    assert answer.status in {502, 503}
    assert max(each.latency_s for each in episode.recorder.accepted()) < SUBMIT_WITHIN_S
    assert (episode.job(task_id).status, episode.job(task_id).attempts) == ("succeeded", 1)
    assert stack.rows(SENT_AFTER_S, task_id)[0][0] >= SEND_GRACE_S
    warm_up(stack)


def test_message_that_was_written_and_not_acknowledged_is_a_no_op(
    under_load: UnderLoad, stack: FaultStack
) -> None:
    with under_load("crash between write and acknowledge") as episode:
        stack.stop("worker")
        stack.next_worker_crashes_at(WORKER_AFTER_STORE)
        stack.start("worker")
        crashing = stack.process_of("worker")
        eventually(lambda: not crashing.is_running() or None, CRASHES_WITHIN_S)
        episode.over()
        written = [task_id for task_id in _unacknowledged(stack) if _has_ended(stack, task_id)]
        stories = {task_id: stack.rows(STORY, task_id) for task_id in written}
        eventually(lambda: not _unacknowledged(stack) & set(written) or None, REDELIVERED_WITHIN_S)

    assert written
    assert stories == {task_id: stack.rows(STORY, task_id) for task_id in written}
    assert all(story == ONCE for story in stories.values())


@contextmanager
def _crashing_function(stack: FaultStack) -> Iterator[None]:
    """Have the predict function end between commit and send until the block ends."""
    client = stack.running.lambda_client()
    own = client.get_function_configuration(FunctionName=FUNCTION)["Environment"]["Variables"]

    def set_variables(variables: dict[str, str]) -> None:
        client.update_function_configuration(FunctionName=FUNCTION, Environment={"Variables": variables})
        client.get_waiter("function_updated_v2").wait(FunctionName=FUNCTION, WaiterConfig={"Delay": 0.1})

    set_variables(own | {"FAILPOINT": PREDICT_AFTER_COMMIT})
    try:
        yield
    finally:
        set_variables(own)
        client.close()


def _cut_off(episode: Episode) -> tuple[Submitted, str] | None:
    """Submit for a model that nobody else asks: no other row's wake-up takes this one along."""
    answer = episode.client.submit(model=HOSTILE)
    if answer.status == ACCEPTED:
        return None
    unsent = episode.stack.rows(UNSENT, HOSTILE, answer.features[0])
    return (answer, str(unsent[0][0])) if unsent else None


def _unacknowledged(stack: FaultStack) -> set[str]:
    """Task ids of the wake-ups that Redis has handed out and not seen the end of."""
    with stack.redis() as client:
        deliveries = [json.loads(each) for each in client.hvals("unacked")]
    bodies = [message["body"] for message, _, queue in deliveries if queue == QUEUE_PREDICTIONS]
    return {json.loads(base64.b64decode(body))[0][0] for body in bodies}


def _has_ended(stack: FaultStack, task_id: str) -> bool:
    return stack.rows("SELECT status FROM predictions WHERE task_id = %s", task_id) == [("succeeded",)]
