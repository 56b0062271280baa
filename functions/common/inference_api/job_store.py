"""The job row in Postgres, as submits write it and lookups read it (ADR 0002: the row is the truth)."""

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Final

from inference_api import statements
from inference_api.errors import DatabaseUnavailableError
from inference_api.intake import Intake, Verdict
from inference_api.job_rows import job_of
from inference_api.paging import Page, Selection
from inference_api.postgres import Database
from inference_api.shedding import Limits, Load
from inference_contract.job import Job, NewJob

MARK_BUDGET_S: Final = 0.5
"""For noting a send: the job is accepted already, and its answer must not wait long for a note."""
LOOKS: Final = 3
"""A submit of the same key that was committed meanwhile is seen by the second look; one more is spare."""
PAGE_BYTES: Final = 2_000_000
"""Of predictions on one page: Lambda's answers may have six megabytes, and JSON in them is quoted again."""


class JobWriter:
    """Stores submits."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    def store(self, job: NewJob) -> Intake:
        """Commit a job as queued, once for its key, and where there is room; what is stored is on the disk.

        Raises:
            DatabaseUnavailableError: it is not known to be stored.
        """
        for _ in range(LOOKS):
            parameters = self._parameters(job)
            verdict, task_id, of_caller, in_all, finished_per_s = self._database.rows(
                statements.INSERT_JOB, parameters
            )[0]
            if verdict is not None:
                return Intake(Verdict(verdict), task_id, Load(of_caller, in_all, finished_per_s))
        raise DatabaseUnavailableError("Submits of the same key come too fast; try again.")

    def mark_sent(self, task_id: str) -> None:
        """Note that the broker took the job's wake-up.

        Raises:
            DatabaseUnavailableError: it is not noted, so the wake-up will be sent once more.
        """
        self._database.rows(statements.MARK_SENT, (task_id,), budget_s=MARK_BUDGET_S)

    def _parameters(self, job: NewJob) -> dict[str, object]:
        return {
            "task_id": job.task_id,
            "model_name": job.model.name,
            "model_version": job.model.version,
            "features": json.dumps(job.features, allow_nan=False),
            "correlation_id": job.correlation_id,
            "caller": job.caller,
            "key": job.idempotency and job.idempotency.key,
            "digest": job.idempotency and job.idempotency.digest,
            "max_of_caller": self._limits.of_caller,
            "max_in_all": self._limits.in_all,
        }


class JobReader:
    """Reads a caller's jobs, and waits for them to end."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, task_id: str, caller: str) -> Job | None:
        """Read a job, `None` when the caller has none of this id.

        Raises:
            DatabaseUnavailableError: it cannot be told.
        """
        rows = self._database.rows(statements.SELECT_JOB, {"task_id": task_id, "caller": caller})
        return job_of(rows[0]) if rows else None

    def has_expired(self, task_id: str, caller: str) -> bool:
        """Whether the caller had such a job, and it was deleted after its time.

        Raises:
            DatabaseUnavailableError: it cannot be told.
        """
        return bool(self._database.rows(statements.SELECT_EXPIRED, {"task_id": task_id, "caller": caller}))

    def page(self, caller: str, selection: Selection) -> Page:
        """Read a caller's jobs, newest first.

        Raises:
            DatabaseUnavailableError: they cannot be read in time.
        """
        after = selection.after
        rows = self._database.rows(
            statements.SELECT_PAGE,
            {
                "caller": caller,
                "status": selection.status and selection.status.value,
                "model_name": selection.model_name,
                "submitted_at": after and after.submitted_at,
                "after_id": after and after.task_id,
                "limit": selection.limit,
                "max_bytes": PAGE_BYTES,
            },
        )
        return Page(tuple(job_of(row[:-1]) for row in rows), more=bool(rows) and rows[0][-1] > len(rows))

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
