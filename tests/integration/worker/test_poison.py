"""Models that crash, hang, eat memory or hog the pool: they end at limits, and their neighbours succeed."""

import pytest

from tests.integration.parts import wait_until
from tests.integration.worker import hostile_model
from tests.integration.worker.conftest import DONE_S, Stack
from tests.integration.worker.steps import label

pytestmark = pytest.mark.integration


def first_claimed(stack: Stack, task_ids: list[str]) -> str:
    return wait_until(
        lambda: next((one for one in task_ids if stack.job(one)["status"] == "running"), None),
        timeout_s=DONE_S,
        what="a claim",
    )


def test_poison_ends_at_the_attempt_limit_and_its_neighbours_succeed(stack: Stack) -> None:
    neighbours = [stack.insert(float(number)) for number in range(3)]
    poison = stack.insert(hostile_model.CRASH)
    neighbours += [stack.insert(float(number)) for number in range(3, 6)]
    stack.worker()
    stack.beat()
    stack.send(poison, *neighbours)

    job = stack.finished(poison)

    assert (job["status"], job["attempts"]) == ("failed", 3)
    for number, task_id in enumerate(neighbours):
        neighbour = stack.finished(task_id)
        assert label(neighbour) == hostile_model.expected(number)
        assert neighbour["attempts"] == 2


def test_model_that_eats_memory_fails_alone_with_its_reason(stack: Stack) -> None:
    greedy, good = stack.insert(hostile_model.EAT), stack.insert(1.0)
    worker = stack.worker(WORKER_MEMORY_LIMIT_MB="700")
    stack.beat()
    stack.send(greedy, good)

    assert label(stack.finished(good)) == "value 1"
    job = stack.finished(greedy)
    assert (job["status"], job["error"]) == ("failed", "the model failed: MemoryError")
    assert worker.running


def test_model_that_is_too_slow_fails_its_job_and_spares_the_batch(stack: Stack) -> None:
    slow, good = stack.insert(hostile_model.SLEEP + 60.0), stack.insert(1.0)
    stack.worker(TASK_SOFT_TIME_LIMIT_S="1", TASK_TIME_LIMIT_S="3")
    stack.beat()
    stack.send(slow, good)

    assert label(stack.finished(good)) == "value 1"
    job = stack.finished(slow)
    assert (job["status"], job["error"]) == ("failed", "the model took longer than its time limit")


def test_stuck_child_is_killed_and_its_neighbours_come_back(stack: Stack) -> None:
    stuck, good = stack.insert(hostile_model.HANG), stack.insert(1.0)
    stack.worker(TASK_SOFT_TIME_LIMIT_S="1", TASK_TIME_LIMIT_S="2", MAX_ATTEMPTS="2", LEASE_S="1")
    stack.beat()
    stack.send(stuck, good)

    assert label(stack.finished(good)) == "value 1"
    job = stack.finished(stuck)
    assert (job["status"], job["attempts"]) == ("failed", 2)
    assert "gave up" in str(job["error"])


def test_slow_model_leaves_a_process_to_the_others(stack: Stack) -> None:
    stack.worker(concurrency=2, BATCH_SIZE="1")
    stack.beat()
    stack.postgres.rows("UPDATE models SET slow_until = now() + interval '1 hour' WHERE name = 'hostile'")
    slow = [stack.insert(hostile_model.SLEEP + 3.0) for _ in range(2)]
    stack.send(*slow)
    first = first_claimed(stack, slow)
    quick = [stack.insert(float(number), model="neighbour") for number in range(5)]
    stack.send(*quick)

    for task_id in quick:
        stack.finished(task_id)
    assert stack.job(first)["status"] == "running"
    for task_id in slow:
        assert stack.finished(task_id)["status"] == "succeeded"
    assert stack.postgres.rows(
        "SELECT count(*) FROM predictions a, predictions b WHERE a.model_name = 'hostile'"
        " AND b.model_name = 'hostile' AND a.started_at < b.started_at AND b.started_at < a.finished_at"
    ) == [(0,)]


def test_model_that_needs_its_lease_renewed_is_known_to_be_slow(stack: Stack) -> None:
    stack.worker()
    task_id = stack.insert(hostile_model.SLEEP + 1.5)
    quick = stack.insert(1.0, model="neighbour")
    stack.send(task_id, quick)

    stack.finished(task_id)
    stack.finished(quick)

    slow = stack.postgres.rows("SELECT name FROM models WHERE slow_until > now()")
    assert slow == [("hostile",)]
