"""A model that was quick so far and turns slow: others wait a moment, not until it has ended."""

import pytest

from tests.integration.parts import wait_until
from tests.integration.worker import hostile_model
from tests.integration.worker.conftest import DONE_S, Stack
from tests.integration.worker.steps import label

pytestmark = pytest.mark.integration

SLOW_S = 3.0
PROCESSES = 2
QUICK_JOBS = 5


def running(stack: Stack, task_ids: list[str]) -> int:
    return sum(stack.job(task_id)["status"] == "running" for task_id in task_ids)


def take_all_processes(stack: Stack) -> list[str]:
    """Send a model's jobs that take all processes before anybody can know that it is slow."""
    stack.postgres.rows("UPDATE models SET slow_until = '-infinity'")
    slow = [stack.insert(hostile_model.SLEEP + SLOW_S) for _ in range(PROCESSES)]
    stack.send(*slow)
    wait_until(lambda: running(stack, slow) == PROCESSES, timeout_s=DONE_S, what="a pool that is taken")
    return slow


def test_model_that_turns_slow_gives_the_last_process_back_to_others(stack: Stack) -> None:
    stack.worker(concurrency=PROCESSES, BATCH_SIZE="1")
    stack.beat()
    slow = take_all_processes(stack)
    quick = [stack.insert(float(number), model="neighbour") for number in range(QUICK_JOBS)]
    stack.send(*quick)
    stack.postgres.rows("UPDATE predictions SET sent_at = now() WHERE status = 'queued' RETURNING 1")

    for number, task_id in enumerate(quick):
        assert label(stack.finished(task_id)) == hostile_model.expected(number)
    assert running(stack, slow) == PROCESSES - 1

    ended = [stack.finished(task_id) for task_id in slow]
    assert {job["status"] for job in ended} == {"succeeded"}
    assert sorted((job["attempts"], job["attempt_limit"]) for job in ended if job["attempt_limit"]) == [
        (2, 4)
    ]


def test_model_that_nobody_waits_for_keeps_all_processes(stack: Stack) -> None:
    stack.worker(concurrency=PROCESSES, BATCH_SIZE="1")
    slow = take_all_processes(stack)

    assert [stack.finished(task_id)["attempts"] for task_id in slow] == [1] * PROCESSES
