"""What callers can do to each other, and to themselves: nothing."""

import json
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.conftest import UnderLoad
from tests.faults.fault_stack import FaultStack
from tests.faults.load import CALLERS
from tests.faults.pure_model import PURE, Action
from tests.whole_stack import Answer, eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(300)]

PARALLEL = 50
ANSWERED_WITHIN_S = 30
STRANGER = "gamma"


def test_fifty_submits_with_one_key_are_one_task(under_load: UnderLoad, stack: FaultStack) -> None:
    key = str(uuid.uuid4())
    with under_load("50 submits with one Idempotency-Key") as episode:
        with ThreadPoolExecutor(PARALLEL) as pool:
            answers = list(pool.map(lambda _: _submit_until_answered(stack, key), range(PARALLEL)))
        other = _submit(stack, key, 2.5)
        episode.over()

    assert {answer.status for answer in answers} == {202}
    [task_id] = {answer.json["task_id"] for answer in answers}
    replayed = Counter(answer.headers.get("Idempotency-Replayed") for answer in answers)
    assert replayed == {"true": PARALLEL - 1, None: 1}
    assert other.status == 422
    assert episode.job(task_id).status == "succeeded"
    count = "SELECT count(*) FROM predictions WHERE idempotency_key = %s"
    assert stack.rows(count, key) == [(1,)]


def test_no_task_is_visible_to_another_caller(under_load: UnderLoad, stack: FaultStack) -> None:
    """I5."""
    with under_load("a stranger looks for tasks") as episode:
        episode.keep_up(1)
        looked = [each for each in episode.recorder.accepted() if each.caller == CALLERS[0]]
        seen = {each.task_id: _look(stack, each.task_id, STRANGER).status for each in looked}
        own = {each.task_id: _look(stack, each.task_id, each.caller).status for each in looked}
        episode.over()

    assert looked
    assert set(seen.values()) == {404}
    assert set(own.values()) == {200}


def _submit_until_answered(stack: FaultStack, key: str) -> Answer:
    """Submit again when told to come back, as a client does: the key makes that safe."""

    def answered() -> Answer | None:
        answer = _submit(stack, key, 1.5)
        return None if answer.status == 503 else answer

    return eventually(answered, ANSWERED_WITHIN_S)


def _submit(stack: FaultStack, key: str, value: float) -> Answer:
    body = json.dumps({"model": PURE, "features": [value, float(Action.ANSWER), 0.0]})
    return stack.running.call(
        "POST", "/predict", body, headers={"Idempotency-Key": key, "X-Api-Key": CALLERS[0]}
    )


def _look(stack: FaultStack, task_id: str | None, caller: str) -> Answer:
    return stack.running.call("GET", f"/results/{task_id}", headers={"X-Api-Key": caller})
