"""What a caller may change of its jobs in Postgres; a trigger there holds that an end is an end."""

from inference_api import statements
from inference_api.job_rows import job_of
from inference_api.postgres import Database
from inference_api.shedding import Limits, Load
from inference_contract.job import Job
from inference_contract.names import REQUEUE_ATTEMPTS


class JobChanges:
    """Cancels jobs, and queues failed ones again."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    def cancel(self, task_id: str, caller: str) -> Job | None:
        """Cancel a caller's unfinished job; `None` when it has none of this id.

        Raises:
            DatabaseUnavailableError: it is not known to be cancelled.
        """
        rows = self._database.rows(statements.CANCEL_JOB, {"task_id": task_id, "caller": caller})
        return job_of(rows[0]) if rows else None

    def requeue(self, task_id: str, caller: str) -> Job | None:
        """Queue a caller's failed job again; `None` when it has none of this id, or there is no room.

        Raises:
            DatabaseUnavailableError: it is not known to be queued.
        """
        job = {"task_id": task_id, "attempts": REQUEUE_ATTEMPTS, **self._counted(caller)}
        rows = self._database.rows(statements.REQUEUE_JOB, job)
        return job_of(rows[0]) if rows else None

    def load(self, caller: str) -> Load:
        """Count what is unfinished.

        Raises:
            DatabaseUnavailableError: it cannot be told.
        """
        return Load(*self._database.rows(statements.SELECT_LOAD, self._counted(caller))[0])

    def _counted(self, caller: str) -> dict[str, object]:
        limits = self._limits
        return {"caller": caller, "max_of_caller": limits.of_caller, "max_in_all": limits.in_all}
