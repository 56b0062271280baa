"""What the functions count reaches Prometheus, and is as many as there are rows."""

import json
import time
from collections import Counter
from contextlib import closing

import pytest
import urllib3

pytestmark = pytest.mark.integration

COUNTERS = {
    # Of ended environments too, whose groups the cleaner deletes.
    "accepted": "sum(max_over_time(inference_predictions_accepted_total[1h]))",
    "looks": 'http_requests_total{job="door",route="/health",method="GET",status="200"}',
    "ended": "sum(inference_worker_completion_seconds_count)",
}
SUBMITS = 12
LOOKS = 5
DEADLINE_S = 60
CLEANED_WITHIN_S = 45
"""Two scrapes (12 s), a round of the cleaner (5 s), a reserve: less than a killed one's minute."""
JOBS = {
    "door",
    "redis",
    "nginx",
    "node",
    "localstack",
    "pushgateway",
    "prometheus",
    "alertmanager",
    "worker",
    "postgres",
    "flower",
}
TOTALS = "SELECT model_name, from_status, to_status, sum(total)::int FROM job_totals GROUP BY 1, 2, 3"
LOGGED = """
SELECT model_name, coalesce(from_status, 'none'), to_status, count(*)::int
FROM transitions JOIN predictions USING (task_id) GROUP BY 1, 2, 3
"""
SETTLED_S = 8
"""Longer than a push (2 s) and a scrape (5 s) can be behind."""


def series_in_prometheus(stack, query):
    with urllib3.PoolManager(retries=False, timeout=5) as http:
        address = f"http://127.0.0.1:{stack.environment['PROMETHEUS_PORT']}/api/v1/query"
        return http.request("GET", address, fields={"query": query}).json()["data"]["result"]


def in_prometheus(stack, query):
    found = series_in_prometheus(stack, query)
    return float(found[0]["value"][1]) if found else None


def settled(stack, poll, at_least):
    """Return the counters once each has its least value and all have stayed the same for `SETTLED_S`."""
    seen = []

    def unchanged():
        values = {name: in_prometheus(stack, query) or 0 for name, query in COUNTERS.items()}
        if not seen or seen[-1][0] != values:
            seen.append((values, time.monotonic()))
        if time.monotonic() - seen[-1][1] < SETTLED_S:
            return None
        return values if all(values[name] >= least for name, least in at_least.items()) else None

    return poll(unchanged, DEADLINE_S)


@pytest.fixture(scope="module")
def growth(stack, poll):
    """By how much each counter grew, and the table, over so many submits and so many looks at the door."""
    stored = "SELECT count(*)::int FROM predictions"
    before, rows = settled(stack, poll, {}), stack.rows(stored)[0][0]
    ids = [
        stack.call("POST", "/predict", {"features": [6.7, 3.0, 5.2, 2.3]}).json["task_id"]
        for _ in range(SUBMITS)
    ]
    assert {stack.result(task_id)["status"] for task_id in ids} == {"succeeded"}
    assert {stack.call("GET", "/health").status for _ in range(LOOKS)} == {200}
    least = {"accepted": SUBMITS, "looks": LOOKS, "ended": SUBMITS}
    after = settled(stack, poll, {name: before[name] + grown for name, grown in least.items()})
    grown = {name: after[name] - before[name] for name in COUNTERS}
    return grown | {"rows": stack.rows(stored)[0][0] - rows}


def test_counter_summed_over_environments_is_the_number_of_rows(growth):
    assert growth["accepted"] == growth["rows"] == SUBMITS


def test_door_counts_what_clients_asked_for(growth):
    assert growth["looks"] == LOOKS


def test_requests_are_shown_by_route_and_status_and_no_task_is_a_series(stack, poll):
    task_id = stack.call("POST", "/predict", {"features": [5.1, 3.5, 1.4, 0.2]}).json["task_id"]
    stack.call("GET", f"/results/{task_id}")
    lookups = 'sum(inference_http_requests_total{job="results",route="/results/{task_id}",status="200"})'
    assert poll(lambda: in_prometheus(stack, lookups), DEADLINE_S) >= 1
    assert poll(lambda: in_prometheus(stack, "sum(inference_http_request_seconds_count)"), DEADLINE_S) >= 2
    assert poll(lambda: in_prometheus(stack, "sum(inference_cold_start_total)"), DEADLINE_S) >= 2
    assert in_prometheus(stack, "sum(powertools_pushgateway_refusals_total)") == 0
    assert in_prometheus(stack, f'{{__name__=~".+",route=~".*{task_id}.*"}}') is None


def test_every_job_is_scraped_and_up(stack, poll):
    def jobs():
        series = series_in_prometheus(stack, "up")
        states = {one["metric"]["job"]: one["value"][1] for one in series}
        return states if len(states) >= len(JOBS) and set(states.values()) == {"1"} else None

    assert set(poll(jobs, DEADLINE_S)) >= JOBS


def test_reserved_concurrency_is_in_force(stack, poll):
    reserved = "sum by (function) (lambda_reserved_concurrency)"
    found = poll(lambda: series_in_prometheus(stack, reserved), DEADLINE_S)
    assert {one["metric"]["function"]: one["value"][1] for one in found} == {
        "inference-predict": "8",
        "inference-results": "16",
    }


def counted_by(stack, statement):
    return Counter({tuple(key): total for *key, total in stack.rows(statement)})


def test_transitions_in_prometheus_are_those_that_postgres_counted(stack, poll):
    """The log forgets what another test has expired, the totals do not: both must grow alike."""
    totals_before, logged_before = counted_by(stack, TOTALS), counted_by(stack, LOGGED)
    ids = [
        stack.call("POST", "/predict", {"features": [5.1, 3.5, 1.4, 0.2]}).json["task_id"]
        for _ in range(SUBMITS)
    ]
    assert {stack.result(task_id)["status"] for task_id in ids} == {"succeeded"}
    query = "inference_job_transitions_total > 0"

    def shown():
        found = {
            (one["metric"]["model"], one["metric"]["from"], one["metric"]["to"]): int(one["value"][1])
            for one in series_in_prometheus(stack, query)
        }
        return found if found == counted_by(stack, TOTALS) else None

    assert poll(shown, DEADLINE_S)["iris", "none", "queued"] >= SUBMITS
    grown = counted_by(stack, TOTALS) - totals_before
    assert grown["iris", "queued", "running"] >= SUBMITS
    assert grown == counted_by(stack, LOGGED) - logged_before


def test_worker_counts_the_jobs_that_are_done(stack, growth):
    """Every job of this stack that has ended was run by the worker whose endpoint is scraped."""
    assert growth["ended"] == SUBMITS
    of_label = 'sum(inference_worker_predictions_total{label="virginica"})'
    assert in_prometheus(stack, of_label) >= SUBMITS
    bins = 'sum by (feature) (inference_worker_feature_rows_total{model="iris"})'
    assert len({one["value"][1] for one in series_in_prometheus(stack, bins)}) == 1
    assert in_prometheus(stack, "time() - inference_sweeper_last_run_timestamp_seconds") < DEADLINE_S


def test_training_shares_sum_to_one_for_each_feature(stack, poll):
    shares = "sum by (feature) (inference_model_training_ratio)"
    found = poll(lambda: series_in_prometheus(stack, shares) or None, DEADLINE_S)
    assert [round(float(one["value"][1]), 9) for one in found] == [1] * 4


def test_flower_asks_for_its_password_and_shows_none(stack, poll):
    credentials = json.loads((stack.state / "credentials.json").read_text())
    address = f"http://127.0.0.1:{stack.environment['FLOWER_PORT']}"
    login = urllib3.make_headers(basic_auth=f"flower:{credentials['flower']}")
    with urllib3.PoolManager(retries=False, timeout=10) as http:
        assert http.request("GET", f"{address}/workers").status == 401
        assert http.request("POST", f"{address}/api/worker/shutdown/any").status == 401
        assert http.request("GET", f"{address}/workers", headers=login).status == 200

        def workers():
            page = http.request("GET", f"{address}/api/workers?refresh=true", headers=login)
            return page.json() if page.status == 200 and page.json() else None

        [name] = poll(workers, DEADLINE_S)
        pages = ("/", "/tasks", "/broker", f"/worker/{name}", f"/api/workers?workername={name}", "/metrics")
        shown = [http.request("GET", f"{address}{page}", headers=login).data.decode() for page in pages]
    assert not [secret for secret in credentials.values() if any(secret in page for page in shown)]


def groups_of(stack, job):
    with urllib3.PoolManager(retries=False, timeout=5) as http:
        address = f"http://127.0.0.1:{stack.environment['PUSHGATEWAY_PORT']}/api/v1/metrics"
        labels = [group["labels"] for group in http.request("GET", address).json()["data"]]
    return {each["instance"] for each in labels if each["job"] == job}


def test_stopped_environment_leaves_the_pushgateway_soon_and_the_living_stay(stack, poll):
    assert stack.call("POST", "/predict", {"features": [5.1, 3.5, 1.4, 0.2]}).status == 202
    assert stack.call("GET", "/health").status == 200
    ended = poll(lambda: groups_of(stack, "predict"), DEADLINE_S)
    with closing(stack.lambda_client()) as client:
        # A changed configuration ends the environments that had the one before.
        client.update_function_configuration(FunctionName="inference-predict", Description="another one")
    poll(lambda: not (groups_of(stack, "predict") & ended) or None, CLEANED_WITHIN_S)
    assert groups_of(stack, "results")
