"""A database from before the totals learns what its log knows; one without tables is waited for."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest
from inference_worker.celery_app import STATEMENTS
from inference_worker.database import Database, read_statements
from inference_worker.heartbeat import Heartbeat
from inference_worker.postgres_registry import PostgresRegistry

from tests.integration.parts import OWNER, ROOT, Postgres, running_postgres, temporary_folder
from tests.integration.worker.conftest import REGISTER

pytestmark = pytest.mark.integration

SUBMIT = """
INSERT INTO predictions (task_id, model_name, model_version, features)
SELECT gen_random_uuid(), 'hostile', '1', '[[1]]' FROM generate_series(1, 3)
"""
FAIL_ONE = """
UPDATE predictions SET status = 'failed', finished_at = now()
WHERE task_id = (SELECT task_id FROM predictions LIMIT 1)
"""


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with temporary_folder() as folder, running_postgres(folder) as started:
        yield started


def upgrade(postgres: Postgres, revision: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "alembic", "-c", "infra/postgres/alembic.ini", "upgrade", revision],
        check=True,
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": postgres.dsn(OWNER)},
        capture_output=True,
    )


def test_worker_that_comes_before_the_migrations_beats_once_they_are_there(postgres: Postgres) -> None:
    dsn = postgres.dsn("worker_user")
    with closing(
        Database(dsn, read_statements(STATEMENTS), application="tested", timeout_ms=2000)
    ) as database:
        heartbeat = Heartbeat(PostgresRegistry(database), "early", (), every_s=1.0)
        heartbeat.beat_once()
        upgrade(postgres, "head")
        heartbeat.beat_once()

    assert postgres.rows("SELECT name FROM workers") == [("early",)]


def test_totals_begin_with_what_the_log_knows(postgres: Postgres) -> None:
    upgrade(postgres, "0003")
    for statement in (REGISTER, SUBMIT, FAIL_ONE):
        postgres.rows(statement)

    upgrade(postgres, "head")
    postgres.rows(SUBMIT)

    found = postgres.rows(
        "SELECT model_name, from_status, to_status, sum(total)::integer FROM job_totals"
        " GROUP BY 1, 2, 3 ORDER BY 2"
    )
    assert found == [("hostile", "none", "queued", 6), ("hostile", "queued", "failed", 1)]
