"""The job rows in Postgres, as the use case `run_prediction` sees them."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from inference_contract.job import FeatureRow, ModelId
from inference_contract.names import CHANNEL_FINISHED

from inference_worker.database import Database
from inference_worker.run_prediction import Claim, ClaimedJob, Outcome
from inference_worker.worker_pool import WorkerPool


@dataclass(frozen=True, slots=True)
class ClaimLimits:
    """How much one wake-up may take, for how long, and how long a model counts as slow that took longer.

    `patience_s` is how long a batch may keep the pool's last process from other models; `max_attempts` is the
    limit of a row that has none of its own.
    """

    batch_size: int
    batch_rows_max: int
    lease_s: float
    slow_for_s: float
    patience_s: float
    max_attempts: int


@dataclass(frozen=True, slots=True)
class PostgresJobStore:
    """Implements `JobStore`; `lease_database` is a connection of its own, because leases renew meanwhile."""

    database: Database
    lease_database: Database
    pool: WorkerPool
    limits: ClaimLimits

    def claim(self, task_id: str) -> Claim | None:
        """Claim in one statement, by the database's clock."""
        rows = self.database.rows(
            "claim",
            {
                "task_id": task_id,
                "mates": self.limits.batch_size - 1,
                "rows_max": self.limits.batch_rows_max,
                "lease_s": self.limits.lease_s,
                "worker": self.pool.process,
                "pool": self.pool.name,
                "processes": self.pool.processes,
            },
        )
        return _claim(rows) if rows else None

    def finish(self, outcomes: tuple[Outcome, ...]) -> frozenset[str]:
        """Write all outcomes in one statement, fenced by attempt and status."""
        text = json.dumps([_fields(outcome) for outcome in outcomes], allow_nan=False)
        written = self.database.rows("finish", {"outcomes": text, "channel": CHANNEL_FINISHED})
        return frozenset(task_id for task_id, _ in written)

    def give_back(self, claim: Claim) -> None:
        """End the leases now; the sweeper decides what becomes of the rows."""
        self.database.rows("give_back", _held(claim))

    def renew(self, claim: Claim) -> bool:
        """Renew the leases that still hold, if any."""
        times = {"lease_s": self.limits.lease_s, "slow_for_s": self.limits.slow_for_s}
        return bool(self.lease_database.rows("renew", {**_held(claim), **times}))

    def make_way(self, claim: Claim) -> bool:
        """Ask in one statement; a pool of one process has none to keep free."""
        if self.pool.processes == 1:
            return False
        terms = {
            "pool": self.pool.name,
            "processes": self.pool.processes,
            "patience_s": self.limits.patience_s,
            "slow_for_s": self.limits.slow_for_s,
            "max_attempts": self.limits.max_attempts,
        }
        return bool(self.lease_database.rows("make_way", {**_held(claim), **terms}))


def _claim(rows: list[tuple[Any, ...]]) -> Claim:
    _, _, _, _, name, version, _ = rows[0]
    jobs = tuple(
        ClaimedJob(task_id, attempt, _feature_rows(features), correlation_id, queued_s)
        for task_id, attempt, features, correlation_id, _, _, queued_s in rows
    )
    return Claim(ModelId(name, version), jobs)


def _feature_rows(features: list[list[float]]) -> tuple[FeatureRow, ...]:
    """Postgres writes 1e16 as a whole number, which Python reads as an integer, of 309 digits at worst."""
    return tuple(tuple(map(float, row)) for row in features)


def _fields(outcome: Outcome) -> dict[str, object]:
    predictions = outcome.predictions
    return {
        "task_id": outcome.task_id,
        "attempt": outcome.attempt,
        "status": outcome.status.value,
        "prediction": None if predictions is None else [asdict(prediction) for prediction in predictions],
        "error": outcome.error,
    }


def _held(claim: Claim) -> dict[str, object]:
    return {
        "task_ids": [job.task_id for job in claim.jobs],
        "attempts": [job.attempt for job in claim.jobs],
    }
