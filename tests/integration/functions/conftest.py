"""A Postgres with the real roles and tables, and a Redis, for the functions' adapters."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from inference_api.job_store import JobReader, JobWriter
from inference_api.postgres import Database
from inference_api.shedding import Limits
from inference_api.task_sender import TaskSender

from tests.integration.parts import ROOT, Postgres, Redis, running_postgres, temporary_folder

ROOMY = Limits(of_caller=100_000, in_all=100_000)
IRIS = """
INSERT INTO models (name, version, feature_names, classes, digest)
VALUES ('iris', '1', '["a", "b"]', '["x", "y"]', 'none')
"""


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    with temporary_folder() as made:
        yield made


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Iterator[Postgres]:
    with running_postgres(folder) as server:
        environment = {**os.environ, "DATABASE_URL": server.dsn("celery_user")}
        command = [sys.executable, "-m", "alembic", "-c", "infra/postgres/alembic.ini", "upgrade", "head"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        server.rows(IRIS)
        yield server


@pytest.fixture
def redis(folder: Path) -> Iterator[Redis]:
    server = Redis(folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    made = Database(postgres.dsn("functions_user"), "tested")
    yield made
    made.close()


@pytest.fixture
def writer(database: Database) -> JobWriter:
    return JobWriter(database, ROOMY)


@pytest.fixture
def reader(database: Database) -> JobReader:
    return JobReader(database)


@pytest.fixture
def sender(redis: Redis) -> TaskSender:
    return TaskSender(redis.url)
