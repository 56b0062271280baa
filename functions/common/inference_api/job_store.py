"""The job row in Postgres, as submits write it and lookups read it (ADR 0002: the row is the truth)."""

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Final

from inference_api import statements
from inference_api.errors import DatabaseUnavailableError
from inference_api.postgres import Database, Row
from inference_contract.job import Job, JobStatus, ModelId, NewJob, Prediction

MARK_BUDGET_S: Final = 0.5
"""For noting a send: the job is accepted already, and its answer must not wait long for a note."""


class JobWriter:
    """Stores submits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, job: NewJob) -> None:
        """Commit a job as queued; on return it is on the disk.

        Raises:
            DatabaseUnavailableError: it is not known to be stored.
        """
        features = json.dumps(job.features, allow_nan=False)
        self._database.rows(
            statements.INSERT_JOB,
            (job.task_id, job.model.name, job.model.version, features, job.correlation_id),
        )

    def mark_sent(self, task_id: str) -> None:
        """Note that the broker took the job's wake-up.

        Raises:
            DatabaseUnavailableError: it is not noted, so the wake-up will be sent once more.
        """
        self._database.rows(statements.MARK_SENT, (task_id,), budget_s=MARK_BUDGET_S)


class JobReader:
    """Reads jobs, and waits for them to end."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, task_id: str) -> Job | None:
        """Read a job, `None` when there is none.

        Raises:
            DatabaseUnavailableError: it cannot be told.
        """
        rows = self._database.rows(statements.SELECT_JOB, (task_id,))
        return _job(rows[0]) if rows else None

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Hear of ends from the first line of the block on: read after this, and none is missed.

        Raises:
            DatabaseUnavailableError: the database does not answer.
        """
        self._database.rows(statements.LISTEN_FINISHED)
        try:
            yield
        finally:
            with contextlib.suppress(DatabaseUnavailableError):  # a lost connection listens to nothing
                self._database.rows(statements.UNLISTEN_ALL)

    def wait_for_end(self, task_id: str, timeout_s: float) -> None:
        """Return when a job's end is heard of, after `timeout_s` seconds, or when the connection is lost."""
        deadline = time.monotonic() + timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            payloads = self._database.wait_for_notices(left_s)
            if not payloads or task_id in payloads:
                return


def _job(row: Row) -> Job:
    task_id, status, name, version, prediction, error, attempts, submitted_at, started_at, finished_at = row
    return Job(
        task_id=task_id,
        status=JobStatus(status),
        model=ModelId(name, version),
        predictions=None if prediction is None else tuple(Prediction(**answer) for answer in prediction),
        error=error,
        attempts=attempts,
        submitted_at=submitted_at,
        started_at=started_at,
        finished_at=finished_at,
    )
