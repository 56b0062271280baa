"""Accept a job: check it against its model, commit its row, then wake a worker up (ADR 0002)."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from inference_api.errors import BrokerUnavailableError, DatabaseUnavailableError, InvalidInputError
from inference_contract.job import Model, NewJob
from submission import Submission


class Models(Protocol):
    """Which models there are."""

    def find(self, name: str, version: str | None) -> Model:
        """Find a model, its default version for `None`; raise when there is none."""


class Jobs(Protocol):
    """Where jobs are kept."""

    def store(self, job: NewJob) -> None:
        """Commit a job as queued."""

    def mark_sent(self, task_id: str) -> None:
        """Note that the job's wake-up was sent."""


class Wakeups(Protocol):
    """How workers hear of a job."""

    def send(self, task_id: str, correlation_id: str) -> None:
        """Send one wake-up."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job whose row is committed; one with an `unsent_reason` is left to the sweeper to send."""

    task_id: str
    unsent_reason: str | None


def _random_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Submit:
    """The use case, over its ports."""

    models: Models
    jobs: Jobs
    wakeups: Wakeups
    new_id: Callable[[], str] = _random_id

    def __call__(self, submission: Submission, correlation_id: str) -> Accepted:
        """Accept a submit.

        Raises:
            InvalidInputError: a row does not have the model's number of features.
            UnknownModelError, NoModelError: there is no such model.
            DatabaseUnavailableError: the row is not stored; nothing was accepted.
        """
        model = self.models.find(submission.model_name, submission.version)
        _check_lengths(submission, model)
        job = NewJob(self.new_id(), model.id, submission.rows, correlation_id)
        self.jobs.store(job)
        return Accepted(job.task_id, self._wake_up(job))

    def _wake_up(self, job: NewJob) -> str | None:
        """Send after the commit; whatever fails from here on, the sweeper will see to."""
        try:
            self.wakeups.send(job.task_id, job.correlation_id)
            self.jobs.mark_sent(job.task_id)
        except (BrokerUnavailableError, DatabaseUnavailableError) as error:
            return str(error)
        return None


def _check_lengths(submission: Submission, model: Model) -> None:
    expected = len(model.feature_names)
    for index, row in enumerate(submission.rows):
        if len(row) != expected:
            raise InvalidInputError(
                f"`{submission.row_name(index)}` has {len(row)} numbers; "
                f"model {model.id.name} {model.id.version} expects {expected}: "
                f"{', '.join(model.feature_names)}."
            )
