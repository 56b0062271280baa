"""What the functions count reaches Prometheus, and is as many as there are rows."""

import time

import pytest
import urllib3

pytestmark = pytest.mark.integration

ACCEPTED = "sum(inference_predictions_accepted_total)"
SUBMITS = 12
DEADLINE_S = 60
SETTLED_S = 8
"""Longer than a push (2 s) and a scrape (5 s) can be behind."""


def in_prometheus(stack, query):
    with urllib3.PoolManager(retries=False, timeout=5) as http:
        address = f"http://127.0.0.1:{stack.environment['PROMETHEUS_PORT']}/api/v1/query"
        found = http.request("GET", address, fields={"query": query}).json()["data"]["result"]
    return float(found[0]["value"][1]) if found else None


def settled(stack, poll, query):
    """Return a number that has stayed the same for `SETTLED_S`."""
    seen = []

    def unchanged():
        value = in_prometheus(stack, query)
        if not seen or seen[-1][0] != value:
            seen.append((value, time.monotonic()))
        return value if time.monotonic() - seen[-1][1] > SETTLED_S else None

    return poll(unchanged, DEADLINE_S)


def test_counter_summed_over_environments_is_the_number_of_rows(stack, poll):
    counted, stored = settled(stack, poll, ACCEPTED), stack.rows("SELECT count(*) FROM predictions")[0][0]
    for _ in range(SUBMITS):
        assert stack.call("POST", "/predict", {"features": [5.1, 3.5, 1.4, 0.2]}).status == 202
    assert stack.rows("SELECT count(*) FROM predictions")[0][0] == stored + SUBMITS
    poll(lambda: in_prometheus(stack, ACCEPTED) == counted + SUBMITS or None, DEADLINE_S)
    assert settled(stack, poll, ACCEPTED) == counted + SUBMITS


def test_requests_are_shown_by_route_and_status_and_no_task_is_a_series(stack, poll):
    task_id = stack.call("POST", "/predict", {"features": [5.1, 3.5, 1.4, 0.2]}).json["task_id"]
    stack.call("GET", f"/results/{task_id}")
    lookups = 'sum(inference_http_requests_total{job="results",route="/results/{task_id}",status="200"})'
    assert poll(lambda: in_prometheus(stack, lookups), DEADLINE_S) >= 1
    assert poll(lambda: in_prometheus(stack, "sum(inference_http_request_seconds_count)"), DEADLINE_S) >= 2
    assert poll(lambda: in_prometheus(stack, "sum(inference_cold_start_total)"), DEADLINE_S) >= 2
    assert in_prometheus(stack, "sum(powertools_pushgateway_refusals_total)") == 0
    assert in_prometheus(stack, f'{{__name__=~".+",route=~".*{task_id}.*"}}') is None
