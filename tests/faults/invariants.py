"""The promises of a 202, checked against what is stored; named as in docs/reliability.md. I6: counters."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.faults.fault_stack import FaultStack
from tests.faults.limits import ATTEMPTS_MAX
from tests.faults.pure_model import PURE, expected
from tests.faults.recorder import Submitted

OK = 200
STRANGER, STRANGERS_LOOKS = "a stranger", 3
FINAL = frozenset({"succeeded", "failed", "cancelled"})
JOBS = """
SELECT task_id::text, model_name, status, attempts, attempt_limit, features, prediction, error,
       extract(epoch FROM submitted_at)::float8, extract(epoch FROM finished_at)::float8
FROM predictions WHERE submitted_at >= to_timestamp(%s) OR task_id = ANY(%s::uuid[])
"""
STORIES = """
SELECT task_id::text, to_status, attempt FROM transitions WHERE task_id = ANY(%s::uuid[]) ORDER BY id
"""
LEASELESS = "SELECT task_id::text FROM predictions WHERE status = 'running' AND lease_until < now()"


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A row of `predictions`; times are seconds since the epoch."""

    task_id: str
    model: str
    status: str
    attempts: int
    attempt_limit: int | None
    features: list[list[float]]
    prediction: list[dict[str, object]] | None
    error: str | None
    submitted_at: float
    finished_at: float | None


def stored_jobs(stack: FaultStack, since: float, task_ids: list[str]) -> dict[str, StoredJob]:
    """Read all jobs submitted since, and those of these ids."""
    jobs = [StoredJob(*row) for row in stack.rows(JOBS, since, task_ids)]
    return {job.task_id: job for job in jobs}


def stories(stack: FaultStack, task_ids: list[str]) -> dict[str, list[tuple[str, int]]]:
    """Read each job's transitions in their order: the new status and the attempt."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for task_id, status, attempt in stack.rows(STORIES, task_ids):
        found[task_id].append((status, attempt))
    return found


def lost(accepted: list[Submitted], jobs: dict[str, StoredJob]) -> list[str]:
    """I1, the first half: accepted, and there is no row, or one with other features."""
    return [
        f"I1 {each.task_id} was accepted and is not stored as submitted"
        for each in accepted
        if each.task_id not in jobs or jobs[each.task_id].features != [list(each.features)]
    ]


def not_ended(jobs: dict[str, StoredJob]) -> list[str]:
    """I1, the second half: stored, and in no final state by now."""
    return [f"I1 {job.task_id} is {job.status}" for job in jobs.values() if job.status not in FINAL]


def wrong_results(jobs: dict[str, StoredJob]) -> list[str]:
    """I2, and that no well-behaved input failed."""
    wrong = [
        f"I2 {job.task_id} stores {job.prediction}"
        for job in jobs.values()
        if job.prediction is not None and job.prediction != expected(job.features)
    ]
    failed = [
        f"I2 {job.task_id} is {job.status}: {job.error}"
        for job in jobs.values()
        if job.model == PURE and job.status in FINAL and job.status != "succeeded"
    ]
    return wrong + failed


def ended_twice(told: dict[str, list[tuple[str, int]]]) -> list[str]:
    """I3: more than one terminal transition."""
    counts = {task_id: sum(status in FINAL for status, _ in story) for task_id, story in told.items()}
    return [f"I3 {task_id} ended {count} times" for task_id, count in counts.items() if count > 1]


def wrong_attempts(told: dict[str, list[tuple[str, int]]], jobs: dict[str, StoredJob]) -> list[str]:
    """I4: attempts that shrink, or pass the row's own limit, else the worker's."""
    return [
        f"I4 {task_id} has attempts {attempts} of {limit}"
        for task_id, attempts, limit in (
            (task_id, [number for _, number in story], jobs[task_id].attempt_limit or ATTEMPTS_MAX)
            for task_id, story in told.items()
        )
        if max(attempts) > limit or any(before > after for before, after in pairwise(attempts))
    ]


def seen_by_strangers(stack: FaultStack, accepted: list[Submitted]) -> list[str]:
    """I5, for the last few: another caller's key finds a task."""
    looks = {
        each.task_id: stack.running.call("GET", f"/results/{each.task_id}", headers={"X-Api-Key": STRANGER})
        for each in accepted[-STRANGERS_LOOKS:]
    }
    return [f"I5 {task_id} is seen by a stranger" for task_id, answer in looks.items() if answer.status == OK]


def leaseless(stack: FaultStack) -> list[str]:
    """I7: running, and nobody holds it."""
    rows: list[tuple[Any, ...]] = stack.rows(LEASELESS)
    return [f"I7 {task_id} is running without a lease" for (task_id,) in rows]
