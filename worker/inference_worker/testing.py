"""Hand-written fakes of the worker's ports, shipped beside them so that every test uses the same ones."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from inference_contract.job import FeatureRow, ModelId, Prediction

from inference_worker.errors import ModelUnavailableError, SendFailedError, StoreUnavailableError
from inference_worker.measurements import MeasuredCall, MeasuredClaim, MeasuredSweep
from inference_worker.model_metadata import ModelMetadata
from inference_worker.progress_watch import Movement
from inference_worker.run_prediction import Claim, LoadedModel, Outcome
from inference_worker.sweeper import TakenBack, WakeUp


@dataclass
class FakeJobStore:
    """Implements `JobStore` over claims that a test lays out by the woken task id."""

    claims: dict[str, Claim] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    given_back: list[Claim] = field(default_factory=list)
    renewed: list[Claim] = field(default_factory=list)
    crowded: bool = False
    unavailable: bool = False

    def claim(self, task_id: str) -> Claim | None:
        """Hand a claim out once."""
        self._answer()
        return self.claims.pop(task_id, None)

    def finish(self, outcomes: tuple[Outcome, ...]) -> frozenset[str]:
        """Keep the outcomes of rows whose claim is not in `lost`."""
        self._answer()
        written = {outcome.task_id: outcome for outcome in outcomes if outcome.task_id not in self.lost}
        self.outcomes.update(written)
        return frozenset(written)

    def give_back(self, claim: Claim) -> None:
        """Note the claim."""
        self._answer()
        self.given_back.append(claim)

    def renew(self, claim: Claim) -> bool:
        """Note the renewal; all is held that is not in `lost`."""
        self._answer()
        self.renewed.append(claim)
        return any(job.task_id not in self.lost for job in claim.jobs)

    def make_way(self, claim: Claim) -> bool:
        """Take the rows back where the pool is crowded."""
        self._answer()
        if self.crowded:
            self.given_back.append(claim)
        return self.crowded

    def _answer(self) -> None:
        if self.unavailable:
            raise StoreUnavailableError


@dataclass
class FakeModel:
    """Implements `LoadedModel`: labels each row by its first feature, or does what `answer` does."""

    answer: Callable[[tuple[FeatureRow, ...]], tuple[Prediction, ...]] | None = None
    calls: list[int] = field(default_factory=list)

    def predict(self, rows: tuple[FeatureRow, ...]) -> tuple[Prediction, ...]:
        """Note the number of rows and answer them."""
        self.calls.append(len(rows))
        if self.answer:
            return self.answer(rows)
        return tuple(Prediction(str(row[0]), {str(row[0]): 1.0}) for row in rows)


@dataclass
class FakeModels:
    """Implements `ModelSource`."""

    models: dict[ModelId, LoadedModel] = field(default_factory=dict)

    def get(self, model: ModelId) -> LoadedModel:
        """Return a model of the test, or refuse as the catalog does."""
        if model not in self.models:
            raise ModelUnavailableError(f"model {model.name} {model.version} is not served here")
        return self.models[model]


@contextmanager
def renew_once(renew: Callable[[], bool], make_way: Callable[[], bool]) -> Iterator[None]:
    """Implement `KeepLease` without a thread: renew and ask for room once, at the start."""
    renew()
    make_way()
    yield


@dataclass
class FakeSweepStore:
    """Implements `SweepStore` over rows that a test lays out."""

    lapsed: tuple[TakenBack, ...] = ()
    queued: list[WakeUp] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def take_back(self, reason: str) -> tuple[TakenBack, ...]:
        """Return the lapsed rows."""
        self.reasons.append(reason)
        return self.lapsed

    def due(self, limit: int) -> tuple[WakeUp, ...]:
        """Hand out at most `limit` queued rows."""
        due, self.queued = self.queued[:limit], self.queued[limit:]
        return tuple(due)

    def not_sent(self, task_ids: tuple[str, ...]) -> None:
        """Note the rows that were not sent."""
        self.unsent.extend(task_ids)


@dataclass
class FakeBroker:
    """Implements `Broker`; fails after `works_for` sends where that is set."""

    length: int = 0
    works_for: int | None = None
    sent: list[WakeUp] = field(default_factory=list)

    def waiting(self) -> int:
        """Return the length of the queue, or fail when nothing works."""
        if self.works_for == 0:
            raise SendFailedError
        return self.length + len(self.sent)

    def send(self, wake_up: WakeUp) -> None:
        """Note the message, or fail."""
        if self.works_for is not None and len(self.sent) >= self.works_for:
            raise SendFailedError
        self.sent.append(wake_up)


@dataclass
class FakeRegistry:
    """Implements `Registry`."""

    models: list[ModelMetadata] = field(default_factory=list)
    beats: list[bool] = field(default_factory=list)
    workers: set[str] = field(default_factory=set)
    unavailable: bool = False

    def register(self, model: ModelMetadata) -> None:
        """Note the model."""
        self._answer()
        self.models.append(model)

    def beat(self, worker: str, *, first: bool) -> None:
        """Note the beat and whether it was the first."""
        self._answer()
        self.beats.append(first)
        self.workers.add(worker)

    def forget(self, worker: str) -> None:
        """Remove the worker."""
        self._answer()
        self.workers.discard(worker)

    def _answer(self) -> None:
        if self.unavailable:
            raise StoreUnavailableError


@dataclass
class FakePoolStore:
    """Implements `WatchStore` and `HandOver`."""

    movement_now: Movement = field(default_factory=lambda: Movement(waiting=False, holding=False))
    looked_for: list[tuple[float, float]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    held: int = 0
    handed_over: int = 0
    unavailable: bool = False

    def movement(self, *, still_s: float, patience_s: float) -> Movement:
        """Note the times and return what the test says."""
        self._answer()
        self.looked_for.append((still_s, patience_s))
        return self.movement_now

    def note_end(self, reason: str) -> None:
        """Note the reason."""
        self._answer()
        self.ends.append(reason)

    def hand_over(self) -> int:
        """Hand everything over."""
        self._answer()
        handed, self.held = self.held, 0
        self.handed_over += handed
        return handed

    def _answer(self) -> None:
        if self.unavailable:
            raise StoreUnavailableError


@dataclass
class FakeRetentionStore:
    """Implements `RetentionStore` over counts."""

    old: int = 0
    tombstones: int = 0
    left_over: int = 0
    steps: list[int] = field(default_factory=list)

    def expire(self, limit: int) -> int:
        """Delete at most `limit`."""
        deleted = min(limit, self.old)
        self.old -= deleted
        self.tombstones += deleted
        self.steps.append(deleted)
        return deleted

    def forget_expired(self, limit: int) -> int:
        """Nothing is that old."""
        del limit
        return 0

    def fold_totals(self, limit: int) -> int:
        """Fold at most `limit`."""
        folded = min(limit, self.left_over)
        self.left_over -= folded
        return folded


@dataclass
class FakeMeasurements:
    """Implements `Measurements`: keeps what it is told."""

    calls: list[MeasuredCall] = field(default_factory=list)
    claims: list[MeasuredClaim] = field(default_factory=list)
    sweeps: list[MeasuredSweep] = field(default_factory=list)
    refused: int = 0

    def model_called(self, call: MeasuredCall) -> None:
        """Keep it."""
        self.calls.append(call)

    def claim_ended(self, claim: MeasuredClaim) -> None:
        """Keep it."""
        self.claims.append(claim)

    def swept(self, sweep: MeasuredSweep) -> None:
        """Keep it."""
        self.sweeps.append(sweep)

    def message_refused(self) -> None:
        """Count it."""
        self.refused += 1
