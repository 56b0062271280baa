"""What use cases tell whoever measures them; a process that nobody scrapes measures nothing."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from inference_contract.job import FeatureRow, ModelId, Prediction


class Fate(StrEnum):
    """What became of a claimed job."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DROPPED = "dropped"
    """The claim was lost: another attempt, or a cancellation, decides."""
    GIVEN_BACK = "given_back"
    """Its batch took too long: it will be claimed again, to run alone."""


@dataclass(frozen=True, slots=True)
class MeasuredJob:
    """A job as its claim ended; `queued_s` from its submit to the claim."""

    attempt: int
    queued_s: float
    fate: Fate
    rows: tuple[FeatureRow, ...]
    predictions: tuple[Prediction, ...] = ()


@dataclass(frozen=True, slots=True)
class MeasuredClaim:
    """Jobs that were claimed together; `held_s` from the claim to the stored results."""

    model: ModelId
    jobs: tuple[MeasuredJob, ...]
    held_s: float


@dataclass(frozen=True, slots=True)
class MeasuredCall:
    """One call of a model, whether or not it answered."""

    model: ModelId
    jobs: int
    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class MeasuredSweep:
    """How many rows a sweep acted on."""

    wake_ups_sent: int
    queued_again: int
    failed_for_good: int


class Measurements(Protocol):
    """Never raises (but lets a time limit through), and never takes long."""

    def model_called(self, call: MeasuredCall) -> None:
        """Count a batch in the model."""

    def claim_ended(self, claim: MeasuredClaim) -> None:
        """Count the jobs of a claim, after their results are stored."""

    def swept(self, sweep: MeasuredSweep) -> None:
        """Count what a sweep did, and that there was one."""

    def message_refused(self) -> None:
        """Count a message that was none of ours."""


class NoMeasurements:
    """Implements `Measurements` where nobody looks."""

    def model_called(self, call: MeasuredCall) -> None:
        """Forget it."""

    def claim_ended(self, claim: MeasuredClaim) -> None:
        """Forget it."""

    def swept(self, sweep: MeasuredSweep) -> None:
        """Forget it."""

    def message_refused(self) -> None:
        """Forget it."""


NO_MEASUREMENTS: Final[Measurements] = NoMeasurements()
