"""Workers that die, are killed, or are told to stop."""

import os
import signal

import psutil
import pytest

from tests.faults.conftest import UnderLoad
from tests.faults.episode import Episode
from tests.faults.fault_stack import FaultStack
from tests.faults.limits import (
    LEASE_S,
    RECOVERY_S,
    SWEEP_EVERY_S,
    TASK_SOFT_TIME_LIMIT_S,
    TASK_TIME_LIMIT_S,
)
from tests.faults.pure_model import HOSTILE, Action
from tests.whole_stack import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(300)]

BUSY_S = 3.0
CLAIMED_WITHIN_S = 15


def _running_pid(episode: Episode, task_id: str | None) -> int:
    """Process id of the child that holds a job."""
    query = "SELECT worker FROM predictions WHERE task_id = %s AND status = 'running'"
    found = eventually(lambda: episode.stack.rows(query, task_id) or None, CLAIMED_WITHIN_S)
    return int(str(found[0][0]).rpartition("/")[2])


@pytest.mark.faults_core
def test_job_of_a_killed_child_is_done_at_its_second_attempt(under_load: UnderLoad) -> None:
    with under_load("worker child killed mid-task") as episode:
        task_id = episode.client.submit(Action.SLEEP, BUSY_S, model=HOSTILE).task_id
        os.kill(_running_pid(episode, task_id), signal.SIGKILL)

    job = episode.job(task_id)
    assert (job.status, job.attempts) == ("succeeded", 2)


def test_jobs_of_a_killed_worker_are_done_by_the_next(under_load: UnderLoad, stack: FaultStack) -> None:
    within_s = LEASE_S + SWEEP_EVERY_S + TASK_TIME_LIMIT_S
    with under_load("whole worker killed") as episode:
        tasks = [episode.client.submit(Action.SLEEP, BUSY_S, model=HOSTILE).task_id for _ in range(2)]
        for task_id in tasks:
            _running_pid(episode, task_id)
        stack.kill("worker", group=True)
        over_at = episode.over()

    for task_id in tasks:
        job = episode.job(task_id)
        assert (job.status, job.attempts) == ("succeeded", 2)
        assert job.finished_at is not None
        assert job.finished_at - over_at <= within_s


def test_worker_told_to_stop_leaves_its_work_to_others(under_load: UnderLoad, stack: FaultStack) -> None:
    with under_load("worker told to stop", recovery_s=RECOVERY_S) as episode:
        task_id = episode.client.submit(Action.SLEEP, BUSY_S, model=HOSTILE).task_id
        _running_pid(episode, task_id)
        main = stack.process_of("worker")
        children = main.children(recursive=True)
        main.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs([main, *children], timeout=TASK_SOFT_TIME_LIMIT_S + 5)

    assert alive == []
    assert episode.job(task_id).status == "succeeded"
