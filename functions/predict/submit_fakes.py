"""Hand-written fakes of the submit's ports, for tests; they are not packaged."""

from dataclasses import dataclass, field

from inference_api.errors import BrokerUnavailableError, DatabaseUnavailableError
from inference_api.intake import Intake, Verdict
from inference_api.shedding import Limits, Load
from inference_contract.job import Model, ModelId, NewJob

IRIS = Model(
    ModelId("iris", "1"),
    ("sepal_length", "sepal_width", "petal_length", "petal_width"),
    ("setosa", "versicolor", "virginica"),
)


@dataclass(slots=True)
class FakeRegistry:
    """Models in memory; counts how often it is read."""

    models: tuple[Model, ...] = (IRIS,)
    down: bool = False
    reads: int = 0

    def read(self) -> tuple[Model, ...]:
        """List the models."""
        if self.down:
            raise DatabaseUnavailableError
        self.reads += 1
        return self.models


@dataclass(slots=True)
class FakeJobs:
    """Rows in memory, in the order of their commits; none of them ever ends."""

    down: bool = False
    limits: Limits = field(default_factory=Limits)
    finished_per_s: float = 0.0
    stored: list[NewJob] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def store(self, job: NewJob) -> Intake:
        """Keep the job, find the one of its key, refuse it for want of room, or be unavailable."""
        if self.down:
            raise DatabaseUnavailableError
        own = [kept for kept in self.stored if kept.caller == job.caller]
        load = Load(len(own), len(self.stored), self.finished_per_s)
        for kept in own:
            if job.idempotency and kept.idempotency and kept.idempotency.key == job.idempotency.key:
                same = kept.idempotency == job.idempotency
                return Intake(Verdict.REPLAYED if same else Verdict.KEY_REUSED, kept.task_id, load)
        if load.of_caller >= self.limits.of_caller or load.in_all >= self.limits.in_all:
            return Intake(Verdict.FULL, job.task_id, load)
        self.stored.append(job)
        return Intake(Verdict.STORED, job.task_id, load)

    def mark_sent(self, task_id: str) -> None:
        """Keep the note, or be unavailable."""
        if self.down:
            raise DatabaseUnavailableError
        self.sent.append(task_id)


@dataclass(slots=True)
class FakeWakeups:
    """Wake-ups in memory; `jobs` lets a test see that each row was there first."""

    jobs: FakeJobs
    down: bool = False
    sent: list[tuple[str, str]] = field(default_factory=list)

    def send(self, task_id: str, correlation_id: str) -> None:
        """Keep the wake-up, or be unavailable."""
        if self.down:
            raise BrokerUnavailableError
        if task_id not in [job.task_id for job in self.jobs.stored]:
            raise AssertionError(f"{task_id} was sent before its row was committed")
        self.sent.append((task_id, correlation_id))
