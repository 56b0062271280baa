"""Postgres that is stopped, or killed."""

import pytest

from tests.faults.conftest import UnderLoad
from tests.faults.fault_stack import FaultStack
from tests.faults.recorder import ACCEPTED

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(300)]

DOWN_S = 10.0
REFUSED_WITHIN_S = 3.0
PROBLEM = "application/problem+json"


def test_no_submit_is_accepted_while_postgres_is_down(under_load: UnderLoad, stack: FaultStack) -> None:
    with under_load("Postgres down 10 s") as episode:
        stack.stop("postgres")
        down_at = episode.over()
        episode.keep_up(DOWN_S)
        up_at = episode.over()
        stack.start("postgres")

    meanwhile = episode.recorder.between(down_at, up_at)
    assert len(meanwhile) > DOWN_S
    assert {each.status for each in meanwhile} == {503}
    assert {each.content_type for each in meanwhile} == {PROBLEM}
    assert all(int(each.retry_after or 0) >= 1 for each in meanwhile)
    assert max(each.latency_s for each in meanwhile) <= REFUSED_WITHIN_S


@pytest.mark.faults_core
def test_no_acknowledged_row_is_missing_after_postgres_was_killed(
    under_load: UnderLoad, stack: FaultStack
) -> None:
    with under_load("Postgres killed") as episode:
        stack.kill("postgres")
        episode.over()

    refused = {each.status for each in episode.recorder.refused()}
    assert refused <= {503}
    assert any(each.status == ACCEPTED for each in episode.recorder.between(episode.over_at + 1, 1e12))
