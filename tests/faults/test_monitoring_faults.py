"""Telemetry that is gone or does not answer costs no request."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.conftest import UnderLoad
from tests.faults.episode import Episode
from tests.faults.fault_stack import FaultStack
from tests.faults.ledger import Ledger
from tests.faults.limits import SUBMIT_WITHIN_S
from tests.faults.recorder import percentile

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(300)]

MONITORING = ("pushgateway", "prometheus")
SPAN_S = 10.0


@contextmanager
def _dead(stack: FaultStack) -> Iterator[None]:
    for part in MONITORING:
        stack.stop(part)
    try:
        yield
    finally:
        for part in MONITORING:
            stack.start(part)


@contextmanager
def _black_holed(stack: FaultStack) -> Iterator[None]:
    with stack.frozen(*MONITORING):
        yield


@pytest.mark.parametrize("harm", [_dead, _black_holed], ids=["dead", "black-holed"])
def test_submits_go_on_without_monitoring(
    under_load: UnderLoad, stack: FaultStack, ledger: Ledger, harm, request
) -> None:
    how = request.node.callspec.id
    with under_load(f"Pushgateway and Prometheus {how}") as episode:
        episode.keep_up(SPAN_S)
        begin = episode.over()
        with harm(stack):
            episode.keep_up(SPAN_S)
        end = episode.over()

    before, meanwhile = _p99_s(episode, 0.0, begin), _p99_s(episode, begin, end)
    ledger.remarks.append(
        f"monitoring {how}: p99 of a submit {before:.3f} s before, {meanwhile:.3f} s meanwhile,"
        f" ratio {meanwhile / before:.2f}"
    )
    assert episode.recorder.failed() == []
    assert max(each.latency_s for each in episode.recorder.all()) < SUBMIT_WITHIN_S


def _p99_s(episode: Episode, begin: float, end: float) -> float:
    return percentile([each.latency_s for each in episode.recorder.between(begin, end)], 99)
