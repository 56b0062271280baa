"""The sweeper: two of them at once, and none for a while."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.conftest import UnderLoad
from tests.faults.fault_stack import FaultStack
from tests.faults.limits import RECOVERY_S, SWEEP_EVERY_S
from tests.faults.pure_model import PURE
from tests.whole_stack import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(300)]

LOST_ROWS = 200
STOP_WITHIN_S = 20
ALERT, ALERTED_WITHIN_S = "UnsweptJobs", 30
LOST = """
INSERT INTO predictions (task_id, model_name, model_version, features, submitted_at, sent_at)
SELECT gen_random_uuid(), %s, '1', jsonb_build_array(jsonb_build_array(n, 0, 0)),
       now() - interval '5 minutes', CASE WHEN n %% 2 = 0 THEN now() - interval '5 minutes' END
FROM generate_series(1, %s) AS n RETURNING task_id::text
"""
LAPSED = """
INSERT INTO predictions (task_id, model_name, model_version, features, submitted_at,
                         status, attempts, started_at, lease_until, worker)
VALUES (%s, %s, '1', '[[7, 0, 0]]', now() - interval '5 minutes',
        'running', 1, now() - interval '5 minutes', now() - interval '4 minutes', 'gone/1')
RETURNING task_id::text
"""
CLAIMS = """
SELECT count(*) FROM transitions WHERE task_id = ANY(%s::uuid[]) AND to_status = 'running'
"""


@contextmanager
def _second_beat(stack: FaultStack) -> Iterator[None]:
    """Run another beat with the environment and words of the first, and a schedule of its own."""
    first = stack.process_of("beat")
    schedule = f"--schedule={stack.running.state / 'second-beat-schedule'}"
    words = [schedule if word.startswith("--schedule=") else word for word in first.cmdline()[1:]]
    log = (stack.running.state / "logs" / "second-beat.log").open("wb")
    with (
        log,
        subprocess.Popen(
            [sys.executable, *words], env=first.environ(), cwd=first.cwd(), stdout=log, stderr=log
        ) as beat,
    ):
        try:
            yield
        finally:
            beat.terminate()
            beat.wait(STOP_WITHIN_S)


def test_two_sweepers_at_once_have_no_double_effect(under_load: UnderLoad, stack: FaultStack) -> None:
    with under_load("two sweepers at once") as episode:
        with _second_beat(stack):
            task_ids = _lose_rows(stack)
            episode.keep_up(4 * SWEEP_EVERY_S)
        episode.over()

    jobs = [episode.job(task_id) for task_id in task_ids]
    assert {(job.status, job.attempts) for job in jobs} == {("succeeded", 1)}
    assert stack.rows(CLAIMS, task_ids) == [(LOST_ROWS,)]


def test_rows_of_a_dead_sweeper_are_done_once_it_is_back(under_load: UnderLoad, stack: FaultStack) -> None:
    """Five minutes without a sweep are rows back-dated by five minutes; meanwhile there is an alert."""
    with under_load("sweeper dead for 5 min", recovery_s=RECOVERY_S) as episode:
        stack.stop("beat")
        task_ids = _lose_rows(stack)
        [(lapsed,)] = stack.rows(LAPSED, str(uuid.uuid4()), PURE)
        eventually(lambda: episode.counters.alerts().get(ALERT), ALERTED_WITHIN_S)
        stack.start("beat")
        episode.over()
        episode.keep_up(2 * SWEEP_EVERY_S)

    assert {episode.job(task_id).status for task_id in task_ids} == {"succeeded"}
    assert (episode.job(lapsed).status, episode.job(lapsed).attempts) == ("succeeded", 2)


def _lose_rows(stack: FaultStack) -> list[str]:
    """Leave rows behind whose wake-up never left, or is long gone."""
    return [task_id for (task_id,) in stack.rows(LOST, PURE, LOST_ROWS)]
