"""Hand-written fakes of the submit's ports, for tests; they are not packaged."""

from dataclasses import dataclass, field

from inference_api.errors import BrokerUnavailableError, DatabaseUnavailableError
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
    """Rows in memory, in the order of their commits."""

    down: bool = False
    stored: list[NewJob] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def store(self, job: NewJob) -> None:
        """Keep the job, or be unavailable."""
        if self.down:
            raise DatabaseUnavailableError
        self.stored.append(job)

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
