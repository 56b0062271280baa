"""Redis that forgets everything, goes away and comes back."""

import pytest

from tests.faults.conftest import UnderLoad
from tests.faults.episode import Episode
from tests.faults.fault_stack import FaultStack
from tests.faults.limits import SUBMIT_WITHIN_S
from tests.faults.recorder import ACCEPTED
from tests.whole_stack import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(400)]

DOWN_S, TIMES = 10.0, 3
QUEUED_WITHIN_S, MANY = 10, 20
CONSUMES_WITHIN_S = 30
FIRST_DONE = """
SELECT min(extract(epoch FROM finished_at))::float8 FROM predictions
WHERE submitted_at > to_timestamp(%s) AND status = 'succeeded'
"""


@pytest.mark.faults_core
def test_wiped_redis_loses_no_job_and_needs_no_restart(under_load: UnderLoad, stack: FaultStack) -> None:
    before = {part: stack.pid_of(part) for part in ("worker", "beat", "localstack")}

    with under_load("Redis wiped") as episode, stack.redis() as client:
        with stack.frozen("worker"):
            eventually(lambda: _many_waiting(stack), QUEUED_WITHIN_S)
            client.flushall()
        episode.over()

    assert before == {part: stack.pid_of(part) for part in before}
    assert episode.recorder.refused() == []


def test_redis_may_go_away_three_times(under_load: UnderLoad, stack: FaultStack) -> None:
    before = {part: stack.pid_of(part) for part in ("worker", "beat", "localstack")}
    consumed_after_s = []

    with under_load("Redis down 10 s, three times") as episode:
        for _ in range(TIMES):
            stack.stop("redis")
            episode.keep_up(DOWN_S)
            stack.start("redis")
            consumed_after_s.append(_first_done_after(episode, episode.over()))

    assert max(consumed_after_s) <= CONSUMES_WITHIN_S, consumed_after_s
    assert {each.status for each in episode.recorder.all()} == {ACCEPTED}
    assert max(each.latency_s for each in episode.recorder.all()) < SUBMIT_WITHIN_S
    assert before == {part: stack.pid_of(part) for part in before}


def _many_waiting(stack: FaultStack) -> int | None:
    waiting = stack.waiting()
    return waiting if waiting >= MANY else None


def _first_done_after(episode: Episode, at: float) -> float:
    """Seconds until a job that was submitted since is done."""
    [(finished_at,)] = eventually(
        lambda: [row for row in episode.stack.rows(FIRST_DONE, at) if row[0]] or None, 2 * CONSUMES_WITHIN_S
    )
    return float(finished_at) - at
