"""The totals of transitions are exact: under load, after a fold, and after an expiry."""

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest
from inference_worker import celery_app
from inference_worker.database import Database, read_statements
from inference_worker.postgres_retention_store import PostgresRetentionStore
from inference_worker.retention import Retention

from tests.integration.parts import wait_until
from tests.integration.worker.conftest import DONE_S, Stack

pytestmark = pytest.mark.integration

CONNECTIONS = 8
ROUNDS = 12
BATCH = 8
TOTALS = """
SELECT model_name, from_status, to_status, sum(total)::integer
FROM job_totals GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
LOGGED = """
SELECT model_name, coalesce(from_status, 'none'), to_status, count(*)::integer
FROM transitions JOIN predictions USING (task_id) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
INSERT = """
INSERT INTO predictions (task_id, model_name, model_version, features)
SELECT gen_random_uuid(), (ARRAY['hostile', 'neighbour'])[1 + number %% 2], '1', '[[1]]'
FROM generate_series(1, %s) AS number RETURNING task_id::text
"""
FAIL_AND_QUEUE_AGAIN = (
    "UPDATE predictions SET status = 'failed', finished_at = now() WHERE task_id = %s AND status = 'queued'",
    "UPDATE predictions SET status = 'queued', finished_at = NULL WHERE task_id = %s AND status = 'failed'",
)
CLAIM_LIMITS = {"mates": BATCH - 1, "rows_max": 100, "lease_s": 60, "pool": "p", "processes": CONNECTIONS}

type Open = Callable[[], Database]


@pytest.fixture
def worker_database(stack: Stack) -> Iterator[Open]:
    """Opens connections of the worker's; all are closed at the end."""
    statements = read_statements(Path(celery_app.__file__).with_name("queries.sql"))
    opened: list[Database] = []

    def connect() -> Database:
        made = Database(
            stack.postgres.dsn("worker_user"), statements, application="worker p/1", timeout_ms=10_000
        )
        opened.append(made)
        return made

    yield connect
    for database in opened:
        database.close()


def fold(database: Database) -> None:
    Retention(PostgresRetentionStore(database, timedelta(days=30)))()


def work(stack: Stack, database: Database, number: int) -> None:
    """Submit, claim and finish as fast as it goes, next to others who take the same rows."""
    with closing(psycopg2.connect(stack.postgres.dsn("celery_user"))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for _ in range(ROUNDS):
                cursor.execute(INSERT, (BATCH,))
                for (task_id,) in cursor.fetchall()[:3]:
                    claimed = database.rows(
                        "claim", {**CLAIM_LIMITS, "task_id": task_id, "worker": f"p/{number}"}
                    )
                    database.rows(
                        "finish", {"outcomes": json.dumps(list(map(outcome, claimed))), "channel": "x"}
                    )
                cursor.execute("SELECT task_id FROM predictions WHERE status = 'queued' LIMIT 1")
                for found in cursor.fetchall():
                    for statement in FAIL_AND_QUEUE_AGAIN:
                        cursor.execute(statement, found)


def outcome(claimed: tuple[object, ...]) -> dict[str, object]:
    task_id, attempt = claimed[:2]
    failed = uuid.UUID(str(task_id)).int % 4 == 0
    ended = {"status": "failed", "error": "x"} if failed else {"status": "succeeded", "prediction": [1]}
    return {"task_id": task_id, "attempt": attempt, **ended}


def test_totals_equal_the_log_under_eight_connections_and_folds(stack: Stack, worker_database: Open) -> None:
    folding, done = worker_database(), threading.Event()

    def keep_folding() -> None:
        while not done.is_set():
            fold(folding)

    with ThreadPoolExecutor(CONNECTIONS + 2) as threads:
        folds = [threads.submit(keep_folding), threads.submit(keep_folding)]
        works = [threads.submit(work, stack, worker_database(), number) for number in range(CONNECTIONS)]
        try:
            for each in works:
                each.result()
        finally:
            done.set()
        for each in folds:
            each.result()

    logged = stack.postgres.rows(LOGGED)
    assert logged == stack.postgres.rows(TOTALS)
    assert ("hostile", "none", "queued", CONNECTIONS * ROUNDS * BATCH // 2) in logged


def test_totals_of_lost_connections_are_folded_and_none_is_lost(stack: Stack, worker_database: Open) -> None:
    lost = worker_database()
    task_id = stack.insert(1.0)
    lost.rows("claim", {**CLAIM_LIMITS, "task_id": task_id, "worker": "p/1"})
    before = stack.postgres.rows(TOTALS)
    lost.close()
    wait_until(
        lambda: not stack.postgres.rows("SELECT FROM pg_stat_activity WHERE application_name = 'worker p/1'"),
        timeout_s=DONE_S,
        what="the end of the connection",
    )
    database = worker_database()

    fold(database)
    fold(database)

    assert stack.postgres.rows(TOTALS) == before
    assert stack.postgres.rows("SELECT to_status, total FROM job_totals WHERE slot = 0") == [("running", 1)]


def test_expiry_lowers_no_total(stack: Stack, worker_database: Open) -> None:
    task_id = stack.insert(1.0)
    stack.postgres.rows(
        "UPDATE predictions SET status = 'failed', finished_at = now() - interval '31 days'"
        " WHERE task_id = %s",
        task_id,
    )
    before = stack.postgres.rows(TOTALS)

    fold(worker_database())

    assert stack.postgres.rows("SELECT * FROM transitions") == []
    assert (
        stack.postgres.rows(TOTALS)
        == before
        == [("hostile", "none", "queued", 1), ("hostile", "queued", "failed", 1)]
    )


def test_transition_that_is_rolled_back_is_not_counted(stack: Stack) -> None:
    stack.postgres.rows("BEGIN")
    stack.insert(1.0)
    stack.postgres.rows("ROLLBACK")

    assert stack.postgres.rows("SELECT * FROM job_totals") == []
