"""Use case: claim the woken row and its mates, predict them in one call, store what came out (ADR 0003).

Stages: claim, predict the batch, predict alone what the batch could not, store.
"""

import logging
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from inference_contract.failpoint import Failpoint, off
from inference_contract.job import FeatureRow, JobStatus, ModelId, Prediction

from inference_worker.errors import ModelCallError, ModelUnavailableError
from inference_worker.measurements import (
    NO_MEASUREMENTS,
    Fate,
    MeasuredCall,
    MeasuredClaim,
    MeasuredJob,
    Measurements,
)

logger = logging.getLogger(__name__)

REASON_CHARS: Final = 300
TOO_SLOW: Final = "the model took longer than its time limit"
NOT_FINITE: Final = "the model answered with a number that is not finite"


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A row that this worker holds; `attempt` is the fence, `queued_s` the seconds it waited."""

    task_id: str
    attempt: int
    features: tuple[FeatureRow, ...]
    correlation_id: str | None
    queued_s: float


@dataclass(frozen=True, slots=True)
class Claim:
    """Jobs of one model, claimed together; the woken one is first."""

    model: ModelId
    jobs: tuple[ClaimedJob, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended: `predictions` when it succeeded, `error` when it failed."""

    task_id: str
    attempt: int
    status: JobStatus
    predictions: tuple[Prediction, ...] | None = None
    error: str | None = None


class JobStore(Protocol):
    """The rows in Postgres; every call raises `StoreUnavailableError` when Postgres does not answer."""

    def claim(self, task_id: str) -> Claim | None:
        """Claim a queued row and mates of its model, or None when there is nothing to claim."""

    def finish(self, outcomes: tuple[Outcome, ...]) -> frozenset[str]:
        """Write results where the claim still holds; returns the task ids that were written."""

    def give_back(self, claim: Claim) -> None:
        """End the leases of the rows that are still held; a sweep queues them again, each to run alone."""

    def renew(self, claim: Claim) -> bool:
        """Put the end of the claim's leases off; if none is held any more, the call has to end."""

    def make_way(self, claim: Claim) -> bool:
        """Queue the claim's rows again where they keep others out; if so, the call has to end."""


class LoadedModel(Protocol):
    """A model in memory."""

    def predict(self, rows: tuple[FeatureRow, ...]) -> tuple[Prediction, ...]:
        """Answer every row in order, in one vectorised call; raises whatever the model's library raises."""


class ModelSource(Protocol):
    """Models by name and version."""

    def get(self, model: ModelId) -> LoadedModel:
        """Return the model, loading it on first use; raises `ModelUnavailableError`."""


type KeepLease = Callable[[Callable[[], bool], Callable[[], bool]], AbstractContextManager[None]]
"""While the context is open: calls the first to renew; ends the call once that or the second says so."""


@dataclass(frozen=True, slots=True)
class RunPrediction:
    """The use case with its collaborators; `time_limit_error` is what the pool raises at the soft limit.

    `clock` gives seconds of no particular beginning.
    """

    store: JobStore
    models: ModelSource
    keep_lease: KeepLease
    time_limit_error: type[Exception]
    measurements: Measurements = NO_MEASUREMENTS
    clock: Callable[[], float] = time.monotonic
    after_store: Failpoint = off

    def __call__(self, task_id: str) -> int:
        """Run the woken job and its mates; returns how many were claimed, 0 for a late or duplicate wake-up.

        Raises:
            StoreUnavailableError: Postgres did not answer; leases bring the rows back.
        """
        claim = self.store.claim(task_id)
        if claim is None:
            logger.debug("nothing to claim", extra={"task_id": task_id})
            return 0
        claimed_at = self.clock()
        with self.keep_lease(lambda: self.store.renew(claim), lambda: self.store.make_way(claim)):
            outcomes = self._predict(claim)
        if outcomes is None:
            self.store.give_back(claim)
            jobs = tuple(_measured(job, None, Fate.GIVEN_BACK) for job in claim.jobs)
        else:
            written = self.store.finish(outcomes)
            self.after_store()
            _log(claim, outcomes, written)
            pairs = zip(claim.jobs, outcomes, strict=True)
            jobs = tuple(_measured(job, outcome, _fate(outcome, written)) for job, outcome in pairs)
        # Last of all: nobody waits for a result that is counted first.
        self.measurements.claim_ended(MeasuredClaim(claim.model, jobs, self.clock() - claimed_at))
        return len(claim.jobs)

    def _predict(self, claim: Claim) -> tuple[Outcome, ...] | None:
        """Return an outcome a job, or None when a batch has to be given back to be run one by one."""
        try:
            return self._predict_in_time(claim)
        except self.time_limit_error:
            logger.warning("time limit reached", extra={"model": claim.model.name, "jobs": len(claim.jobs)})
            if len(claim.jobs) > 1:
                return None
            return (_failed(claim.jobs[0], TOO_SLOW),)

    def _predict_in_time(self, claim: Claim) -> tuple[Outcome, ...]:
        try:
            model = self.models.get(claim.model)
        except ModelUnavailableError as error:
            logger.exception("model unavailable", extra={"model": claim.model.name})
            return tuple(_failed(job, str(error)) for job in claim.jobs)
        try:
            return self._call(claim.model, model, claim.jobs)
        except ModelCallError:
            if len(claim.jobs) > 1:
                logger.warning("batch failed, running each alone", extra={"model": claim.model.name})
        return tuple(self._alone(claim.model, model, job) for job in claim.jobs)

    def _alone(self, name: ModelId, model: LoadedModel, job: ClaimedJob) -> Outcome:
        try:
            return self._call(name, model, (job,))[0]
        except ModelCallError as error:
            logger.warning("model call failed", extra={"task_id": job.task_id}, exc_info=True)
            return _failed(job, str(error))

    def _call(self, name: ModelId, model: LoadedModel, jobs: tuple[ClaimedJob, ...]) -> tuple[Outcome, ...]:
        """Make one model call for all rows of all jobs and deal the answers out again."""
        rows = tuple(row for job in jobs for row in job.features)
        called_at = self.clock()
        try:
            predictions = model.predict(rows)
        except self.time_limit_error:
            raise
        except (Exception, SystemExit) as error:
            raise ModelCallError(_reason(error)) from error
        finally:
            took_s = self.clock() - called_at
            self.measurements.model_called(MeasuredCall(name, len(jobs), len(rows), took_s))
        if len(predictions) != len(rows):
            raise ModelCallError(f"the model gave {len(predictions)} answers for {len(rows)} rows")
        answers = iter(predictions)
        return tuple(_succeeded(job, tuple(islice(answers, len(job.features)))) for job in jobs)


def _succeeded(job: ClaimedJob, predictions: tuple[Prediction, ...]) -> Outcome:
    if not all(math.isfinite(p) for answer in predictions for p in answer.probabilities.values()):
        return _failed(job, NOT_FINITE)
    return Outcome(job.task_id, job.attempt, JobStatus.SUCCEEDED, predictions=predictions)


def _failed(job: ClaimedJob, reason: str) -> Outcome:
    return Outcome(job.task_id, job.attempt, JobStatus.FAILED, error=reason)


def _fate(outcome: Outcome, written: frozenset[str]) -> Fate:
    if outcome.task_id not in written:
        return Fate.DROPPED
    return Fate.SUCCEEDED if outcome.status is JobStatus.SUCCEEDED else Fate.FAILED


def _measured(job: ClaimedJob, outcome: Outcome | None, fate: Fate) -> MeasuredJob:
    predictions = (outcome.predictions if outcome else None) or ()
    return MeasuredJob(job.attempt, job.queued_s, fate, job.features, predictions)


def _reason(error: BaseException) -> str:
    # Postgres takes no NUL and no half of a surrogate pair.
    first_line = str(error).partition("\n")[0].replace("\0", "").encode(errors="replace").decode()
    return f"the model failed: {type(error).__name__}: {first_line}"[:REASON_CHARS].rstrip(": ")


def _log(claim: Claim, outcomes: tuple[Outcome, ...], written: frozenset[str]) -> None:
    for job, outcome in zip(claim.jobs, outcomes, strict=True):
        fields = {
            "task_id": job.task_id,
            "correlation_id": job.correlation_id,
            "model": claim.model.name,
            "model_version": claim.model.version,
            "attempt": job.attempt,
            "status": outcome.status.value,
            "queued_s": round(job.queued_s, 3),
            "batch_jobs": len(claim.jobs),
        }
        if job.task_id in written:
            logger.info("job finished", extra=fields)
        else:
            logger.warning("claim lost, result dropped", extra=fields)
