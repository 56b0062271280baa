"""Hand-written fakes of the results function's ports, for tests; they are not packaged."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from inference_api.errors import BrokerUnavailableError, DatabaseUnavailableError
from inference_api.paging import Page, Selection
from inference_api.shedding import Limits, Load
from inference_contract.job import Job, JobStatus


@dataclass(slots=True)
class FakeJobs:
    """Jobs in memory, and a clock that only waiting moves; `events` happen at their second of it."""

    jobs: dict[str, Job] = field(default_factory=dict)
    callers: dict[str, str] = field(default_factory=dict)
    """Whose job it is; where it is not said, everybody's."""
    expired: dict[str, str] = field(default_factory=dict)
    events: dict[float, Callable[[], None]] = field(default_factory=dict)
    down: bool = False
    now_s: float = 0.0
    listeners: int = 0
    finds: int = 0

    def clock(self) -> float:
        """Seconds waited so far."""
        return self.now_s

    def find(self, task_id: str, caller: str) -> Job | None:
        """Read a job, or be unavailable."""
        if self.down:
            raise DatabaseUnavailableError
        self.finds += 1
        return self.jobs.get(task_id) if self.callers.get(task_id, caller) == caller else None

    def has_expired(self, task_id: str, caller: str) -> bool:
        """Whether the id is one of the caller's expired ones."""
        return self.expired.get(task_id) == caller

    def page(self, caller: str, selection: Selection) -> Page:
        """List the caller's jobs, newest first, or be unavailable."""
        if self.down:
            raise DatabaseUnavailableError
        places = {(job.submitted_at, job.task_id): job for job in self.jobs.values()}
        after = selection.after
        found = [
            job
            for place, job in sorted(places.items(), reverse=True)
            if self.callers.get(job.task_id, caller) == caller
            and selection.status in {None, job.status}
            and selection.model_name in {None, job.model.name}
            and (after is None or place < (after.submitted_at, after.task_id))
        ]
        return Page(tuple(found[: selection.limit]), more=len(found) > selection.limit)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Count who listens, so that a test sees it end; what is due by now happens just before."""
        self._happen(self.now_s)
        self.listeners += 1
        try:
            yield
        finally:
            self.listeners -= 1

    def wait_for_end(self, task_id: str, timeout_s: float) -> None:
        """Move the clock to the next event or the timeout; the job `task_id` may be changed by the event."""
        if not self.listeners:
            raise AssertionError(f"waits for {task_id} without listening")
        end_s = self.now_s + timeout_s
        self.now_s = min([end_s, *self.events])
        self._happen(self.now_s)

    def _happen(self, until_s: float) -> None:
        for at_s in sorted(at_s for at_s in self.events if at_s <= until_s):
            self.events.pop(at_s)()


@dataclass(slots=True)
class FakeChanges:
    """Changes the jobs of `FakeJobs`."""

    kept: FakeJobs
    limits: Limits = field(default_factory=Limits)
    finished_per_s: float = 0.0

    def cancel(self, task_id: str, caller: str) -> Job | None:
        """Cancel an unfinished job."""
        job = self.kept.find(task_id, caller)
        if job is None or job.status.is_final:
            return None
        return self._keep(replace(job, status=JobStatus.CANCELLED, finished_at=datetime.now(UTC)))

    def requeue(self, task_id: str, caller: str) -> Job | None:
        """Queue a failed job again, where there is room."""
        job, load = self.kept.find(task_id, caller), self.load(caller)
        room = load.of_caller < self.limits.of_caller and load.in_all < self.limits.in_all
        if job is None or job.status is not JobStatus.FAILED or not room:
            return None
        return self._keep(
            replace(job, status=JobStatus.QUEUED, error=None, started_at=None, finished_at=None)
        )

    def load(self, caller: str) -> Load:
        """Count what is unfinished."""
        unfinished = [job.task_id for job in self.kept.jobs.values() if not job.status.is_final]
        own = [task_id for task_id in unfinished if self.kept.callers.get(task_id, caller) == caller]
        return Load(len(own), len(unfinished), self.finished_per_s)

    def _keep(self, job: Job) -> Job:
        self.kept.jobs[job.task_id] = job
        return job


@dataclass(slots=True)
class FakeWorkers:
    """A number of live workers."""

    live: int = 1
    down: bool = False

    def count_live(self, within_s: float) -> int:
        """Give the number, or be unavailable; `within_s` does not matter to it."""
        del within_s
        if self.down:
            raise DatabaseUnavailableError
        return self.live


@dataclass(slots=True)
class FakeBroker:
    """A broker that answers or not."""

    down: bool = False

    def ping(self) -> None:
        """Answer, or be unavailable."""
        if self.down:
            raise BrokerUnavailableError
