"""What the command line asks of the stored tasks, and the errors that it tells people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from inference_contract.errors import InferenceError


class TaskCommandError(InferenceError):
    """The command could not do what was asked."""


class UnknownTaskError(TaskCommandError):
    """There is no such task."""


class WrongStateError(TaskCommandError):
    """The task is in another state."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which tasks to list; None lets everything through."""

    status: str | None = None
    model: str | None = None
    caller: str | None = None
    since_s: float | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Task:
    """A task in one line; times are aware."""

    task_id: str
    status: str
    model: str
    version: str
    caller: str
    attempts: int
    submitted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of a task's story."""

    at: datetime
    from_status: str | None
    to_status: str
    attempt: int
    who: str


@dataclass(frozen=True, slots=True)
class TaskDetails:
    """All of one task."""

    task: Task
    story: tuple[Transition, ...]
    attempt_limit: int | None
    sent_at: datetime | None
    lease_until: datetime | None
    worker: str | None
    correlation_id: str | None
    features: list[list[float]]
    prediction: list[dict[str, object]] | None


class TaskBook(Protocol):
    """The stored tasks; calls raise `StoreUnavailableError`, those for one task `TaskCommandError` too."""

    def list(self, filters: Filters) -> tuple[Task, ...]:
        """Return the newest tasks that fit."""

    def show(self, task_id: str) -> TaskDetails:
        """Return one task with its story."""

    def requeue(self, task_id: str) -> None:
        """Queue a failed task again."""

    def requeue_failed(self, model: str | None) -> int:
        """Queue all failed tasks again, of one model if it is named; returns how many."""

    def cancel(self, task_id: str) -> None:
        """End a task that has not ended."""
