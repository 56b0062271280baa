"""Cancel a job, or queue a failed one again."""

from dataclasses import dataclass
from typing import Protocol

from inference_api.errors import AlreadyFinishedError, NotFailedError
from inference_api.shedding import DEFAULT_LIMITS, Limits, Load, refusal
from inference_contract.job import Job, JobStatus
from own_job import OwnJobs, own_job


class Changes(Protocol):
    """Where jobs are changed; each change is made only from a state that allows it."""

    def cancel(self, task_id: str, caller: str) -> Job | None:
        """Cancel a caller's unfinished job; `None` when it has none of this id."""

    def requeue(self, task_id: str, caller: str) -> Job | None:
        """Queue a caller's failed job again; `None` when it has none of this id, or there is no room."""

    def load(self, caller: str) -> Load:
        """Count what is unfinished."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """The use case, over its ports."""

    jobs: OwnJobs
    changes: Changes

    def __call__(self, task_id: str, caller: str) -> Job:
        """Cancel a job that has not ended; one that is cancelled already is answered as it is.

        Raises:
            AlreadyFinishedError: it has succeeded or failed.
            UnknownTaskError, ExpiredTaskError: the caller has no such job.
            DatabaseUnavailableError: it is not known to be cancelled.
        """
        job = self.changes.cancel(task_id, caller) or own_job(self.jobs, task_id, caller)
        if job.status is not JobStatus.CANCELLED:
            raise AlreadyFinishedError(f"Task {task_id} had ended before; it is {job.status}.")
        return job


@dataclass(frozen=True, slots=True)
class Requeue:
    """The use case, over its ports; the sweeper sends the wake-up."""

    jobs: OwnJobs
    changes: Changes
    limits: Limits = DEFAULT_LIMITS

    def __call__(self, task_id: str, caller: str) -> Job:
        """Queue a failed job again.

        Raises:
            NotFailedError: it is in another state.
            CallerFullError, SystemFullError: there is no room for another unfinished job.
            UnknownTaskError, ExpiredTaskError: the caller has no such job.
            DatabaseUnavailableError: it is not known to be queued.
        """
        job = self.changes.requeue(task_id, caller)
        if job is not None:
            return job
        job = own_job(self.jobs, task_id, caller)
        if job.status is not JobStatus.FAILED:
            raise NotFailedError(f"Task {task_id} is {job.status}; only a failed one can be queued again.")
        raise refusal(self.changes.load(caller), self.limits)
