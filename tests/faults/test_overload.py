"""More than there is room for: refused early and with a time to come back, and nothing accepted is lost."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.conftest import UnderLoad
from tests.faults.fault_stack import FaultStack
from tests.faults.ledger import Ledger
from tests.faults.load import CALLERS, Client, client_of, steady_load
from tests.faults.recorder import ACCEPTED, Submitted, percentile
from tests.whole_stack import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(400)]

TIMES_CAPACITY = 5
FLOOD_S = 60.0
MEASURED_S = 5.0
AT_ONCE = 8
DRAIN_S = 120
ROWS_IN_ALL_MAX = 5000
ROWS_OF_CALLER_MAX = 1000
IN_FLIGHT_MAX = 16
"""Submits that Nginx lets through at once: so many may pass a cap that all of them read as not reached."""
FULL_WITHIN_S = 90
TOO_MANY, OWN_CAP = 429, "caller-full"
PROBLEM = "application/problem+json"
OPEN_OF_FULLEST = """
SELECT count(*) FROM predictions WHERE status IN ('queued', 'running') GROUP BY caller ORDER BY 1 DESC LIMIT 1
"""
OPEN = "SELECT count(*) FROM predictions WHERE status IN ('queued', 'running')"


def test_five_times_the_capacity_is_refused_beyond_what_there_is_room_for(
    under_load: UnderLoad, stack: FaultStack, ledger: Ledger
) -> None:
    capacity_per_s, normal_p99_s = _capacity(stack)
    most_open = 0
    with under_load("five times the capacity, 60 s", recovery_s=DRAIN_S, functions_die=True) as episode:
        flood_from = time.time()
        with steady_load(episode.client, TIMES_CAPACITY * capacity_per_s):
            while time.time() < flood_from + FLOOD_S:
                [(open_rows,)] = stack.rows(OPEN)
                most_open = max(most_open, open_rows)
                episode.keep_up(1)
        flood_to = episode.over()

    flood = episode.recorder.between(flood_from, flood_to)
    refused = [each for each in flood if each.status != ACCEPTED]
    p99_s = percentile([each.latency_s for each in flood if each.status == ACCEPTED], 99)
    ledger.remarks.append(
        f"flood: {capacity_per_s:.0f}/s is the capacity, {len(flood) / FLOOD_S:.0f}/s were sent, "
        f"{(len(flood) - len(refused)) / FLOOD_S:.0f}/s accepted; "
        f"p99 {normal_p99_s:.3f} s at capacity, {p99_s:.3f} s in the flood; at most {most_open} open rows"
    )
    assert most_open <= ROWS_IN_ALL_MAX + IN_FLIGHT_MAX
    assert refused
    assert {each.status for each in refused} <= {429, 503}
    assert all(int(each.retry_after or 0) >= 1 for each in refused)
    assert p99_s <= 2 * normal_p99_s


def test_callers_excess_is_refused_at_its_cap_and_spares_the_other_caller(
    under_load: UnderLoad, stack: FaultStack
) -> None:
    with under_load("no worker, one caller at its cap", recovery_s=DRAIN_S) as episode:
        stack.stop("worker")
        refused = _submit_until_full(episode.client)
        most_open = stack.rows(OPEN_OF_FULLEST)[0][0]
        other = eventually(lambda: _accepted(episode.client.submit(caller=CALLERS[1])), FULL_WITHIN_S)
        stack.start("worker")
        episode.over()

    assert int(refused.retry_after or 0) >= 1
    assert refused.content_type == PROBLEM
    assert most_open <= ROWS_OF_CALLER_MAX + IN_FLIGHT_MAX
    assert other.status == ACCEPTED
    assert {each.status for each in episode.recorder.refused()} <= {429, 503}


def _submit_until_full(client: Client) -> Submitted:
    """Submit as one caller until the cap answers; what Nginx has no room for at the moment does not count."""
    end = time.time() + FULL_WITHIN_S
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while time.time() < end:
            for answer in pool.map(lambda _: client.submit(), range(AT_ONCE)):
                if answer.status == TOO_MANY and OWN_CAP in answer.text:
                    return answer
    pytest.fail(f"no {TOO_MANY} within {FULL_WITHIN_S} s")


def _accepted(answer: Submitted) -> Submitted | None:
    return answer if answer.status == ACCEPTED else None


def _capacity(stack: FaultStack) -> tuple[float, float]:
    """Submits a second that are accepted of a few clients that each wait for their answer, and their p99."""
    with client_of(stack.base) as client, ThreadPoolExecutor(AT_ONCE) as pool:
        end = time.time() + MEASURED_S

        def submit_on(_: int) -> None:
            for _again in itertools.takewhile(lambda _: time.time() < end, itertools.count()):
                client.submit()

        list(pool.map(submit_on, range(AT_ONCE)))
        latencies = [each.latency_s for each in client.recorder.accepted()]
    return len(latencies) / MEASURED_S, percentile(latencies, 99)
