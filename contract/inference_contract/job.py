"""The job as both sides of the row in Postgres see it (ADR 0002: the row is the truth)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class JobStatus(StrEnum):
    """States of a job; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing changes a job in this state any more."""
        return self in _FINAL


_FINAL = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})

type FeatureRow = tuple[float, ...]
"""One row of a model's features, in the order of `Model.feature_names`; every number is finite."""


@dataclass(frozen=True, slots=True)
class ModelId:
    """A model by name and version, as in `iris` `1`."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Model:
    """What a submit is checked against: registered in table `models` by the worker that serves it."""

    id: ModelId
    feature_names: tuple[str, ...]
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one row: the likeliest label, and each class's probability (they sum to 1)."""

    label: str
    probabilities: dict[str, float]


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A caller's own name for one submit, and the digest of what it asked for."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class NewJob:
    """A checked submit, ready to be stored; `caller` alone will see it."""

    task_id: str
    model: ModelId
    features: tuple[FeatureRow, ...]
    correlation_id: str
    caller: str
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job row as a client may read it; times are aware and come from the database's clock."""

    task_id: str
    status: JobStatus
    model: ModelId
    predictions: tuple[Prediction, ...] | None
    error: str | None
    attempts: int
    submitted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
