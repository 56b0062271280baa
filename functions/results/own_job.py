"""A caller's own job by its id; another caller's is as unknown as one that never was."""

from typing import Protocol

from inference_api.errors import ExpiredTaskError, UnknownTaskError
from inference_contract.job import Job


class OwnJobs(Protocol):
    """Where jobs are kept."""

    def find(self, task_id: str, caller: str) -> Job | None:
        """Read a job, `None` when the caller has none of this id."""

    def has_expired(self, task_id: str, caller: str) -> bool:
        """Whether the caller had such a job, and it was deleted after its time."""


def own_job(jobs: OwnJobs, task_id: str, caller: str) -> Job:
    """Read a caller's job.

    Raises:
        ExpiredTaskError: it was deleted after its time.
        UnknownTaskError: the caller never had such a job.
        DatabaseUnavailableError: it cannot be told.
    """
    job = jobs.find(task_id, caller)
    if job is not None:
        return job
    if jobs.has_expired(task_id, caller):
        raise ExpiredTaskError(f"Task {task_id} was kept for its time and is deleted.")
    raise UnknownTaskError(f"There is no task {task_id}.")
