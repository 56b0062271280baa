"""Models that are slow, and inputs that end the process they are tried in."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.conftest import UnderLoad
from tests.faults.episode import Episode
from tests.faults.invariants import StoredJob
from tests.faults.limits import ATTEMPTS_MAX, LEASE_S, RECOVERY_S, SWEEP_EVERY_S, TASK_TIME_LIMIT_S
from tests.faults.pure_model import HOSTILE, PURE, SLOW, Action
from tests.faults.recorder import percentile
from tests.whole_stack import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(400)]

ALL_ATTEMPTS_S = (ATTEMPTS_MAX + 1) * (TASK_TIME_LIMIT_S + LEASE_S + 2 * SWEEP_EVERY_S)
QUIET_S = 5.0
MARGIN_S = 0.1
"""Where a job takes hundredths of a second, twice as long is noise of a busy machine."""
SLOW_JOBS = (
    (Action.SLEEP, 0.9 * TASK_TIME_LIMIT_S),
    (Action.SLEEP, 1.5 * TASK_TIME_LIMIT_S),
    (Action.SLEEP, 0.9 * TASK_TIME_LIMIT_S),
    (Action.SLEEP, 1.5 * TASK_TIME_LIMIT_S),
)
"""With the deaf one, more of them than there are processes."""
DEAF_JOB = (Action.SLEEP_DEAF, TASK_TIME_LIMIT_S)
"""Claimed first: were it the last, its process would have to end, and Celery may take 5 s to replace one."""
POISON = {
    Action.CRASH: ("gave up", ATTEMPTS_MAX),
    Action.KILLED_AS_OUT_OF_MEMORY: ("gave up", ATTEMPTS_MAX),
    Action.MEMORY_ERROR: ("MemoryError", 1),
    Action.SYS_EXIT: ("SystemExit", 1),
}


def test_slow_models_fail_with_the_reason_and_spare_the_others(under_load: UnderLoad) -> None:
    """The hardest case: the model was quick so far, and its slow jobs come all at once."""
    with under_load("slow models: 0.9 T, 1.5 T, for ever", recovery_s=ALL_ATTEMPTS_S) as episode:
        quick = episode.client.submit(model=SLOW).task_id
        eventually(lambda: episode.job(quick).finished_at, RECOVERY_S)
        episode.keep_up(QUIET_S)
        slow_from = episode.over()
        deaf = episode.client.submit(*DEAF_JOB, model=SLOW)
        with ThreadPoolExecutor(len(SLOW_JOBS)) as pool:
            submits = pool.map(lambda job: episode.client.submit(*job, model=SLOW), SLOW_JOBS)
            tasks = [(action, each.task_id) for (action, _), each in zip(SLOW_JOBS, submits, strict=True)]
        tasks.append((DEAF_JOB[0], deaf.task_id))
        episode.keep_up(TASK_TIME_LIMIT_S)

    for action, task_id in tasks:
        job = episode.job(task_id)
        assert job.status == "failed"
        assert ("gave up" if action is Action.SLEEP_DEAF else "time limit") in str(job.error)
    assert _p95_s(episode, slow_from, 1e12) <= 2 * _p95_s(episode, 0.0, slow_from) + MARGIN_S


@pytest.mark.parametrize("action", POISON, ids=lambda action: action.name.lower())
def test_poison_fails_with_the_reason_and_the_queue_moves_on(under_load: UnderLoad, action: Action) -> None:
    reason, attempts = POISON[action]
    with under_load(f"poison input: {action.name.lower()}", recovery_s=ALL_ATTEMPTS_S) as episode:
        task_id = episode.client.submit(action, model=HOSTILE).task_id
        episode.over()

    job = episode.job(task_id)
    assert (job.status, job.attempts) == ("failed", attempts)
    assert reason in str(job.error)
    assert _slowest_s(episode) < RECOVERY_S


def _pure(episode: Episode) -> list[StoredJob]:
    return [job for job in episode.jobs().values() if job.model == PURE and job.finished_at]


def _p95_s(episode: Episode, begin: float, end: float) -> float:
    """Seconds from submit to result of the well-behaved model."""
    times = [
        float(job.finished_at or 0) - job.submitted_at
        for job in _pure(episode)
        if begin <= job.submitted_at < end
    ]
    return percentile(times, 95)


def _slowest_s(episode: Episode) -> float:
    return max(float(job.finished_at or 0) - job.submitted_at for job in _pure(episode))
