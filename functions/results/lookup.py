"""Find a job, and on request wait until it ends: told by Postgres, and looked at anew now and then."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from inference_contract.job import Job
from own_job import OwnJobs, own_job

RECHECK_S: Final = 1.0
"""A notice that got lost with its connection delays an answer by this much at most."""


class Jobs(OwnJobs, Protocol):
    """Where jobs are kept, and heard of."""

    def listening(self) -> AbstractContextManager[None]:
        """Hear of every end from the first line of the block on."""

    def wait_for_end(self, task_id: str, timeout_s: float) -> None:
        """Return when the job's end is heard of, or after `timeout_s` seconds, or earlier."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """The use case, over its port."""

    jobs: Jobs
    clock: Callable[[], float] = time.monotonic

    def __call__(self, task_id: str, caller: str, wait_s: float) -> Job:
        """Read a job; with `wait_s` above zero, wait that long at most for it to end.

        Raises:
            UnknownTaskError, ExpiredTaskError: the caller has no such job.
            DatabaseUnavailableError: it cannot be told.
        """
        deadline = self.clock() + wait_s
        job = own_job(self.jobs, task_id, caller)
        if wait_s <= 0 or job.status.is_final:
            return job
        with self.jobs.listening():
            return self._at_end(task_id, caller, deadline)

    def _at_end(self, task_id: str, caller: str, deadline: float) -> Job:
        """Look only after listening began: an end in between is seen by the look, a later one heard."""
        job = own_job(self.jobs, task_id, caller)
        while not job.status.is_final and (left_s := deadline - self.clock()) > 0:
            self.jobs.wait_for_end(task_id, min(left_s, RECHECK_S))
            job = own_job(self.jobs, task_id, caller)
        return job
