"""Postgres' exporter shows the jobs under the agreed names, cheaply, and comes back by itself."""

import os
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
import urllib3
from inference_worker.progress_watch import DEAF
from prometheus_client.parser import text_string_to_metric_families

from stack.parts.postgres_exporter import QUERIES
from tests.integration.parts import DATABASE, PASSWORD, Process, free_port, wait_until
from tests.integration.worker.conftest import DONE_S, Stack

pytestmark = pytest.mark.integration

OF_MODEL = {"model": "hostile", "version": "1"}
PLAIN = "plain"
ENDED = "finished_at = now(), lease_until = NULL"
RUNNING = (
    "UPDATE predictions SET status = 'running', lease_until = now() + interval '{lease}' WHERE task_id = %s"
)


class Exporter:
    """The real program, against the tests' Postgres."""

    def __init__(self, stack: Stack) -> None:
        self.port = free_port()
        address = f"127.0.0.1:{self.port}"
        self.process = Process(
            [
                "prometheus-postgres-exporter",
                f"--web.listen-address={address}",
                f"--extend.query-path={QUERIES}",
            ],
            stack.folder / "exporter.log",
            environment={
                **os.environ,
                "DATA_SOURCE_URI": f"127.0.0.1:{stack.postgres.port}/{DATABASE}?sslmode=disable",
                "DATA_SOURCE_USER": "exporter_user",
                "DATA_SOURCE_PASS": PLAIN,
            },
        )
        self.address = f"http://{address}/metrics"

    def shown(self, name: str, **labels: str) -> float | None:
        try:
            with urllib3.PoolManager(retries=False, timeout=5) as http:
                page = http.request("GET", self.address).data.decode()
        except urllib3.exceptions.HTTPError:
            return None
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return float(sample.value)
        return None

    def transitions(self, before: str, after: str) -> float | None:
        labels = {**OF_MODEL, "from": before, "to": after}
        return self.shown("inference_job_transitions_total", **labels)


def change_password(stack: Stack, old: str, new: str) -> None:
    server = {"host": "127.0.0.1", "port": stack.postgres.port, "dbname": DATABASE}
    with closing(psycopg2.connect(user="exporter_user", password=old, **server)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("ALTER ROLE exporter_user PASSWORD %s", (new,))


@pytest.fixture
def exporter(stack: Stack) -> Iterator[Exporter]:
    # It stumbles over a quotation mark in a password; the launcher's are made without.
    change_password(stack, PASSWORD, PLAIN)
    made = Exporter(stack)
    try:
        wait_until(lambda: made.shown("pg_up"), timeout_s=DONE_S, what="the exporter")
        yield made
    finally:
        made.process.stop()
        change_password(stack, PLAIN, PASSWORD)


def test_all_series_are_there_before_anything_happened(exporter: Exporter) -> None:
    assert exporter.shown("pg_exporter_user_queries_load_error") == 0
    for before, after in (("none", "queued"), ("running", "failed"), ("failed", "queued")):
        assert exporter.transitions(before, after) == 0
    for status in ("queued", "running"):
        assert exporter.shown("inference_open_jobs", **OF_MODEL, status=status) == 0
        assert exporter.shown("inference_oldest_open_age_seconds", status=status) == 0
    assert exporter.shown("inference_oldest_unswept_age_seconds") == 0
    assert exporter.shown("inference_dead_letters", **OF_MODEL) == 0
    assert exporter.shown("inference_workers_alive") == 0
    assert exporter.shown("inference_worker_ends_total", reason=DEAF) == 0


def test_jobs_are_shown_by_status_and_transition(stack: Stack, exporter: Exporter) -> None:
    queued, running, failed = (stack.insert(1.0) for _ in range(3))
    stack.postgres.rows(
        "UPDATE predictions SET submitted_at = now() - interval '1 h' WHERE task_id = %s", queued
    )
    stack.postgres.rows(RUNNING.format(lease="1 h"), running)
    stack.postgres.rows(f"UPDATE predictions SET status = 'failed', {ENDED} WHERE task_id = %s", failed)  # noqa: S608
    stack.postgres.rows(
        "INSERT INTO workers (name, seen_at) VALUES ('a', now()), ('b', now() - interval '1 h')"
    )

    assert exporter.transitions("none", "queued") == 3
    assert exporter.transitions("queued", "running") == 1
    assert exporter.shown("inference_open_jobs", **OF_MODEL, status="queued") == 1
    assert exporter.shown("inference_open_jobs", **OF_MODEL, status="running") == 1
    assert exporter.shown("inference_dead_letters", **OF_MODEL) == 1
    assert 3600 <= (exporter.shown("inference_oldest_open_age_seconds", status="queued") or 0) < 3660
    assert exporter.shown("inference_workers_alive") == 1


def test_row_that_the_sweeper_forgot_is_shown(stack: Stack, exporter: Exporter) -> None:
    stack.postgres.rows(RUNNING.format(lease="-100 s"), stack.insert(1.0))
    assert 100 <= (exporter.shown("inference_oldest_unswept_age_seconds") or 0) < 150

    stack.postgres.rows("UPDATE predictions SET lease_until = now() + interval '1 h'")
    unsent = stack.insert(1.0)
    stack.postgres.rows("UPDATE models SET slow_until = '-infinity'")
    stack.postgres.rows(
        "UPDATE predictions SET submitted_at = now() - interval '202 s' WHERE task_id = %s", unsent
    )
    assert 200 <= (exporter.shown("inference_oldest_unswept_age_seconds") or 0) < 250


def test_row_of_a_slow_model_waits_for_a_process_and_not_for_the_sweeper(
    stack: Stack, exporter: Exporter
) -> None:
    stack.insert(1.0)
    stack.postgres.rows("UPDATE predictions SET submitted_at = now() - interval '1 h'")
    stack.postgres.rows("UPDATE models SET slow_until = now() + interval '1 h'")

    assert exporter.shown("inference_oldest_unswept_age_seconds") == 0


def test_lost_connection_is_replaced(stack: Stack, exporter: Exporter) -> None:
    stack.postgres.end_connections_of("exporter_user")

    wait_until(
        lambda: exporter.transitions("none", "queued") is not None, timeout_s=DONE_S, what="the exporter"
    )
