"""A stack of the worker's neighbours for the session, and worker processes for each test."""

import hashlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from celery import Celery
from inference_contract.names import QUEUE_PREDICTIONS, TASK_RUN_PREDICTION
from inference_worker.model_metadata import METADATA_FILE, ModelMetadata

from tests.integration.parts import (
    OWNER,
    ROOT,
    START_S,
    Postgres,
    Process,
    Redis,
    running_postgres,
    temporary_folder,
    wait_until,
)

HOSTILE_APP: Final = "tests.integration.worker.hostile_app"
DONE_S: Final = 30.0
CELERY: Final = (sys.executable, "-m", "celery", "-A")
QUICK: Final = {
    "LEASE_S": "2",
    "SWEEP_EVERY_S": "1",
    "RESEND_AFTER_S": "2",
    "SEND_GRACE_S": "0.5",
    "HEARTBEAT_S": "1",
    "TASK_TIME_LIMIT_S": "6",
    "TASK_SOFT_TIME_LIMIT_S": "4",
    "SOFT_SHUTDOWN_S": "3",
}


REGISTER: Final = (
    "INSERT INTO models (name, version, feature_names, classes, digest, slow_until)"
    " SELECT name, '1', '[]', '[]', '', '-infinity' FROM unnest(ARRAY['hostile', 'neighbour']) AS name"
)


@dataclass
class Stack:
    """The neighbours, and what tests do with them."""

    folder: Path
    postgres: Postgres
    redis: Redis
    client: Celery
    processes: list[Process] = field(default_factory=list)

    def environment(self, **settings: str) -> dict[str, str]:
        """What a launcher would set, with short times."""
        return {
            **os.environ,
            **QUICK,
            "PYTHONPATH": f"{ROOT / 'contract'}:{ROOT / 'worker'}:{ROOT}",
            "DATABASE_URL": self.postgres.dsn("worker_user"),
            "BROKER_URL": self.redis.url,
            "MODEL_DIR": str(self.folder / "models"),
            "REMAP_SIGTERM": "SIGQUIT",
            **settings,
        }

    def worker(self, *, app: str = HOSTILE_APP, concurrency: int = 1, **settings: str) -> Process:
        """Start a worker and wait until it beats and has registered its models."""
        name = uuid.uuid4().hex[:8]
        options = ["--concurrency", str(concurrency), "-n", name, "--without-gossip", "--without-mingle"]
        process = self._start([*CELERY, app, "worker", *options], f"worker-{name}.log", settings)
        wait_until(lambda: self._beats(name, process), timeout_s=2 * START_S, what="the worker's heartbeat")
        return process

    def beat(self, **settings: str) -> Process:
        """Start the sweeper's clock."""
        name = uuid.uuid4().hex[:8]
        command = [*CELERY, HOSTILE_APP, "beat", "-s", str(self.folder / f"schedule-{name}"), "--pidfile="]
        return self._start(command, f"beat-{name}.log", settings)

    def insert(self, *values: float, model: str = "hostile") -> str:
        """Insert a job with a row of one feature a value; returns its id."""
        return self.insert_rows(*((value,) for value in values), model=model)

    def insert_rows(self, *features: tuple[float, ...], model: str) -> str:
        """Insert a job row as the functions do; returns its id."""
        task_id = str(uuid.uuid4())
        self.postgres.rows(
            "INSERT INTO predictions (task_id, model_name, model_version, features, correlation_id)"
            " VALUES (%s, %s, '1', %s, %s)",
            task_id,
            model,
            json.dumps(features),
            f"request-{task_id}",
        )
        return task_id

    def send(self, *task_ids: str) -> None:
        """Send wake-ups as the functions do."""
        for task_id in task_ids:
            self.client.send_task(TASK_RUN_PREDICTION, args=[task_id], queue=QUEUE_PREDICTIONS)

    def story(self, task_id: str) -> list[tuple[object, ...]]:
        """Read the transitions of a task: status, attempt and who, in order."""
        return self.postgres.rows(
            "SELECT to_status, attempt, who FROM transitions WHERE task_id = %s ORDER BY id", task_id
        )

    def tasks_cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the people's command line as a person would."""
        return subprocess.run(
            [sys.executable, "-m", "inference_worker.tasks_cli", *arguments],
            check=False,
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
        )

    def job(self, task_id: str) -> dict[str, object]:
        """Read a row."""
        [(row,)] = self.postgres.rows("SELECT to_jsonb(p) FROM predictions p WHERE task_id = %s", task_id)
        assert isinstance(row, dict)
        return row

    def finished(self, task_id: str, *, timeout_s: float = DONE_S) -> dict[str, object]:
        """Wait for a final state; where none comes, show what the processes said."""

        def final() -> dict[str, object] | None:
            row = self.job(task_id)
            return row if row["finished_at"] else None

        try:
            return wait_until(final, timeout_s=timeout_s, what=f"the end of {self.job(task_id)}")
        except TimeoutError:
            sys.stderr.write("\n".join(process.output for process in self.processes))
            raise

    def end_processes(self) -> None:
        """Kill what a test started and did not stop."""
        for process in self.processes:
            process.kill()
        self.processes.clear()

    def _start(self, command: list[str], log: str, settings: dict[str, str]) -> Process:
        process = Process(command, self.folder / log, environment=self.environment(**settings))
        self.processes.append(process)
        return process

    def _beats(self, name: str, process: Process) -> bool:
        assert process.running, process.output
        return bool(self.postgres.rows("SELECT 1 FROM workers WHERE name LIKE %s", f"%{name}%"))


@pytest.fixture(scope="session")
def session_stack() -> Iterator[Stack]:
    """Start Postgres with the schema, Redis, and lay a hostile model out."""
    with temporary_folder() as folder, running_postgres(folder) as postgres:
        redis = Redis(folder)
        redis.start()
        migrate(postgres)
        postgres.rows(REGISTER)
        save_model(folder / "models", "hostile")
        save_model(folder / "models", "neighbour", backend="hostile")
        client = Celery(broker=redis.url, set_as_current=False)
        try:
            yield Stack(folder, postgres, redis, client)
        finally:
            client.pool.force_close_all()
            redis.stop()


@pytest.fixture
def stack(session_stack: Stack) -> Iterator[Stack]:
    """Lend the stack to one test, empty before and after."""
    yield session_stack
    session_stack.end_processes()
    tables = "predictions, transitions, expired, workers, worker_ends, job_totals"
    session_stack.postgres.rows(f"TRUNCATE {tables}")
    # Else a test in which the model sleeps would make it slow for the next one.
    session_stack.postgres.rows("UPDATE models SET slow_until = '-infinity'")
    with session_stack.redis.client() as client:
        client.flushall()


def migrate(postgres: Postgres) -> None:
    """Apply the migrations as the launcher does."""
    subprocess.run(
        [sys.executable, "-m", "alembic", "-c", "infra/postgres/alembic.ini", "upgrade", "head"],
        check=True,
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": postgres.dsn(OWNER)},
        capture_output=True,
    )


def save_model(model_dir: Path, name: str, backend: str | None = None) -> None:
    """Lay out an artifact of a test backend, by default one of the same name."""
    content = b"nothing to load"
    metadata = ModelMetadata(
        name=name,
        version="1",
        backend=backend or name,
        file="model.bin",
        sha256=hashlib.sha256(content).hexdigest(),
        feature_names=("value",),
        classes=("value",),
    )
    folder = model_dir / name / "1"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(content)
    (folder / METADATA_FILE).write_text(metadata.to_json(), encoding="utf-8")
