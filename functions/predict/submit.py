"""Accept a job: check it against its model, commit its row, then wake a worker up (ADR 0002)."""

import math
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from inference_api.errors import (
    BrokerUnavailableError,
    DatabaseUnavailableError,
    IdempotencyKeyReusedError,
    InvalidInputError,
    TooLateError,
)
from inference_api.intake import Intake, Verdict
from inference_api.shedding import DEFAULT_LIMITS, Limits, refusal
from inference_contract.failpoint import Failpoint, off
from inference_contract.job import Idempotency, Model, NewJob
from submission import Submission


class Models(Protocol):
    """Which models there are."""

    def find(self, name: str, version: str | None) -> Model:
        """Find a model, its default version for `None`; raise when there is none."""


class Jobs(Protocol):
    """Where jobs are kept."""

    def store(self, job: NewJob) -> Intake:
        """Commit a job as queued, once for its key, and where there is room."""

    def mark_sent(self, task_id: str) -> None:
        """Note that the job's wake-up was sent."""


class Wakeups(Protocol):
    """How workers hear of a job."""

    def send(self, task_id: str, correlation_id: str) -> None:
        """Send one wake-up."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who submits, under which request id, and by which name of its own for this submit.

    Nothing is accepted after `patient_until`, in seconds since the epoch: the answer would come too late.
    """

    caller: str
    correlation_id: str
    idempotency: Idempotency | None = None
    patient_until: float = math.inf


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job whose row is committed; one with an `unsent_reason` is left to the sweeper to send."""

    task_id: str
    unsent_reason: str | None = None
    replayed: bool = False


def _random_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Submit:
    """The use case, over its ports."""

    models: Models
    jobs: Jobs
    wakeups: Wakeups
    limits: Limits = DEFAULT_LIMITS
    new_id: Callable[[], str] = _random_id
    clock: Callable[[], float] = time.time
    after_commit: Failpoint = off

    def __call__(self, submission: Submission, asker: Asker) -> Accepted:
        """Accept a submit, or find the one that was accepted under its key before.

        A repeated submit sends no wake-up: the first one did, or the sweeper will.

        Raises:
            InvalidInputError: a row does not have the model's number of features.
            UnknownModelError, NoModelError: there is no such model.
            IdempotencyKeyReusedError: the key was used for something else.
            CallerFullError, SystemFullError: there is no room for another job.
            TooLateError: it has waited too long before this.
            DatabaseUnavailableError: the row is not stored; nothing was accepted.
        """
        model = self.models.find(submission.model_name, submission.version)
        _check_lengths(submission, model)
        job = NewJob(
            self.new_id(), model.id, submission.rows, asker.correlation_id, asker.caller, asker.idempotency
        )
        if self.clock() > asker.patient_until:
            raise TooLateError
        intake = self.jobs.store(job)
        match intake.verdict:
            case Verdict.STORED:
                self.after_commit()
                return Accepted(job.task_id, self._wake_up(job))
            case Verdict.REPLAYED:
                return Accepted(intake.task_id, replayed=True)
            case Verdict.KEY_REUSED:
                raise IdempotencyKeyReusedError
            case Verdict.FULL:
                raise refusal(intake.load, self.limits)

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
