"""Every question of every dashboard and rule has an answer on a stack that has had some work to do.

No Grafana runs here: its variables are put in as it would, and Prometheus and Postgres are asked directly.
"""

import json
import math
import re
import time
import uuid
from dataclasses import dataclass

import psycopg2
import pytest
import urllib3

from tests.dashboards import choices, dashboards, metrics, promql, queries, rules, sql

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

BOARDS = [board for board in dashboards() if list(queries(board))]
FLOWERS = [[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5], [5.9, 2.8, 4.3, 1.3]]
SUBMITS = 30
BATCH_ROWS = 150
"""More than the hundred from which drift is told."""
ANSWERED_WITHIN_S = 120
"""Scrapes and rules every 15 s; rates need two scrapes, and quantiles a request between them."""
SETTLED_S = 11
"""Longer than an exporter and a scrape can be behind."""
LOOKING_BACK_S = 600
STEP_S = 15
QUIET = {
    "ALERTS": "nothing fires on a stack that is well",
    "inference:class_mix_change:1h": "compares with the day before, and there is none",
    "inference_wakeups_failed_total": "Redis was always there",
}
"""Metrics that may not be there, and why."""
UNRUNNABLE = """
INSERT INTO predictions (task_id, model_name, model_version, features, caller)
VALUES (%s, 'iris', '1', '[[1]]', 'tests')
RETURNING task_id::text
"""
TOTALS = {
    "Accepted": "SELECT count(*) FROM transitions WHERE from_status IS NULL",
    "Succeeded": "SELECT count(*) FROM transitions WHERE to_status = 'succeeded'",
    "Failed": "SELECT count(*) FROM transitions WHERE to_status = 'failed'",
    "Cancelled": "SELECT count(*) FROM transitions WHERE to_status = 'cancelled'",
    "Open": "SELECT count(*) FROM predictions WHERE status IN ('queued', 'running')",
    "Dead letters": "SELECT count(*) FROM predictions WHERE status = 'failed'",
}


@dataclass(frozen=True)
class Prometheus:
    """The stack's Prometheus, asked as Grafana asks it."""

    base: str

    def get(self, path, **fields):
        with urllib3.PoolManager(retries=False, timeout=10) as http:
            answer = http.request("GET", f"{self.base}/api/v1/{path}", fields=fields).json()
        assert answer["status"] == "success", (fields, answer.get("error"))
        return answer["data"]

    def values(self, query):
        """Return the numbers that a panel would show."""
        if query.at_once:
            series = self.get("query", query=promql(query.text))["result"]
            numbers = [one["value"][1] for one in series]
        else:
            now = time.time()
            times = {"start": str(now - LOOKING_BACK_S), "end": str(now), "step": str(STEP_S)}
            series = self.get("query_range", query=promql(query.text), **times)["result"]
            numbers = [number for one in series for _, number in one["values"]]
        return [float(number) for number in numbers if not math.isnan(float(number))]

    def names(self):
        return set(self.get("label/__name__/values"))


@pytest.fixture(scope="module")
def prometheus(stack):
    return Prometheus(f"http://127.0.0.1:{stack.environment['PROMETHEUS_PORT']}")


def ahead(stack, prometheus):
    """Return by how much each figure of the overview is more than the rows are."""
    [overview] = [board for board in BOARDS if board["uid"] == "overview"]
    figures = {query.panel: query for query in queries(overview) if query.panel in TOTALS}
    [counted] = stack.rows("SELECT " + ", ".join(f"({count})" for count in TOTALS.values()))
    shown = [prometheus.values(figures[title]) for title in TOTALS]
    if not all(shown):
        return None
    return {title: one[0] - count for title, one, count in zip(TOTALS, shown, counted, strict=True)}


@pytest.fixture(scope="module")
def deleted(stack, prometheus, poll):
    """How many rows of each figure other tests have deleted; figures forget nothing."""
    seen = []

    def settled():
        difference = ahead(stack, prometheus)
        if not seen or seen[-1][0] != difference:
            seen.append((difference, time.monotonic()))
        return difference if time.monotonic() - seen[-1][1] > SETTLED_S else None

    return poll(settled, ANSWERED_WITHIN_S)


@pytest.fixture(scope="module")
def task_id(stack, poll, deleted):
    """A task that succeeded, after a load with a failure, an invalid request, a batch and a repetition."""
    assert set(deleted) == set(TOTALS)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    flower = {"features": FLOWERS[0]}
    repeated = [stack.call("POST", "/predict", flower, key) for _ in range(2)]
    assert [answer.status for answer in repeated] == [202, 202]
    instances = (FLOWERS * BATCH_ROWS)[:BATCH_ROWS]
    batch = stack.call("POST", "/predict", {"instances": instances})
    assert batch.status == 202
    assert stack.call("POST", "/predict", {"features": [1]}).status == 422
    [(failing,)] = stack.rows(UNRUNNABLE, str(uuid.uuid4()))
    ids = [stack.call("POST", "/predict", flower).json["task_id"] for _ in range(SUBMITS)]
    for each in (*ids, batch.json["task_id"]):
        assert stack.result(each)["status"] == "succeeded"
    failed = "SELECT true FROM predictions WHERE task_id = %s AND status = 'failed'"
    poll(lambda: stack.rows(failed, failing) or None, ANSWERED_WITHIN_S)
    return ids[-1]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])
def test_every_question_to_prometheus_is_answered(stack, prometheus, poll, task_id, board):
    asked = [query for query in queries(board) if query.source == "prometheus"]
    left = [query for query in asked if not metrics(promql(query.text)) & QUIET.keys()]

    def all_answered():
        stack.call("POST", "/predict", {"features": FLOWERS[0]})
        stack.call("GET", f"/results/{task_id}")
        left[:] = [query for query in left if not prometheus.values(query)]
        return not left or None

    for query in asked:
        prometheus.values(query)
    try:
        poll(all_answered, ANSWERED_WITHIN_S, 1)
    except pytest.fail.Exception:
        pytest.fail("no answer to:\n" + "\n".join(f"{query.name}: {promql(query.text)}" for query in left))


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])
def test_every_choice_has_something_to_choose(prometheus, poll, task_id, board):
    assert task_id
    asked = [choice["query"]["query"] for choice in choices(board) if choice["type"] == "query"]

    def offered(query):
        selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", query).groups()
        return prometheus.get(f"label/{label}/values", **{"match[]": promql(selector)})

    assert poll(lambda: all(map(offered, asked)) or None, ANSWERED_WITHIN_S)


def as_reader(stack, text):
    """Ask Postgres as the data source does."""
    password = json.loads((stack.state / "credentials.json").read_text())["readonly_user"]
    connection = psycopg2.connect(
        host="127.0.0.1",
        port=stack.environment["POSTGRES_PORT"],
        dbname="celery_db",
        user="readonly_user",
        password=password,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(text)
        columns = [column.name for column in cursor.description]
        found = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    connection.close()
    return found


def questions_to_postgres():
    return [query for board in BOARDS for query in queries(board) if query.source == "postgres"]


@pytest.mark.parametrize("query", questions_to_postgres(), ids=lambda query: query.name)
def test_every_question_to_postgres_is_answered(stack, task_id, query):
    rows = as_reader(stack, sql(query.text, task_id))
    assert rows
    assert "${task" not in query.text or {row.get("task_id", task_id) for row in rows} == {task_id}


def test_story_of_a_task_is_told_from_submit_to_result(stack, task_id):
    [story] = [query for query in questions_to_postgres() if query.panel == "Story"]
    moves = [(row["from"], row["to"]) for row in as_reader(stack, sql(story.text, task_id))]
    assert moves == [("none", "queued"), ("queued", "running"), ("running", "succeeded")]


@pytest.mark.parametrize("typed", ["", "no id", "' OR true --", "$1"])
def test_what_is_no_task_id_finds_nothing_and_is_no_error(stack, typed):
    for query in questions_to_postgres():
        if "${task" in query.text:
            assert as_reader(stack, sql(query.text, typed)) == []


def test_every_metric_of_a_panel_or_rule_exists(prometheus, poll, task_id):
    assert task_id
    asked = [
        promql(query.text) for board in BOARDS for query in queries(board) if query.source == "prometheus"
    ]
    named = set().union(*map(metrics, [*asked, *(rule["expr"] for rule in rules())]))
    missing = named - QUIET.keys()

    def all_there():
        missing.difference_update(prometheus.names())
        return not missing or None

    try:
        poll(all_there, ANSWERED_WITHIN_S, 1)
    except pytest.fail.Exception:
        pytest.fail(f"not in Prometheus: {sorted(missing)}")
    assert named >= QUIET.keys()


def test_rules_are_evaluated_without_an_error(prometheus, poll):
    def evaluated():
        groups = prometheus.get("rules")["groups"]
        every = [rule for group in groups for rule in group["rules"]]
        return every if all(rule["health"] != "unknown" for rule in every) else None

    loaded = poll(evaluated, ANSWERED_WITHIN_S)
    assert [(rule["name"], rule.get("lastError")) for rule in loaded if rule["health"] != "ok"] == []
    assert len(loaded) == len(list(rules()))


def test_figures_on_the_overview_are_the_counts_in_postgres(stack, prometheus, poll, task_id, deleted):
    assert task_id
    assert poll(lambda: ahead(stack, prometheus) == deleted or None, ANSWERED_WITHIN_S)
