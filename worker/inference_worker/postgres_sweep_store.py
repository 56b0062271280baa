"""The job rows in Postgres, as the sweeper sees them."""

from dataclasses import dataclass
from typing import Final

from inference_contract.job import JobStatus
from inference_contract.names import CHANNEL_FINISHED

from inference_worker.database import Database
from inference_worker.sweeper import TakenBack, WakeUp

SLOW_ROWS: Final = 32
"""Of one slow model in one sweep: as many as a large pool has processes, and each claim takes a batch."""


@dataclass(frozen=True, slots=True)
class SweepLimits:
    """When a row counts as lost, and how many rows one statement takes."""

    max_attempts: int
    resend_after_s: float
    send_grace_s: float
    rows: int


@dataclass(frozen=True, slots=True)
class PostgresSweepStore:
    """Implements `SweepStore`."""

    database: Database
    limits: SweepLimits

    def take_back(self, reason: str) -> tuple[TakenBack, ...]:
        """Take lapsed rows back in one statement."""
        rows = self.database.rows(
            "take_back",
            {
                "max_attempts": self.limits.max_attempts,
                "limit": self.limits.rows,
                "reason": reason,
                "channel": CHANNEL_FINISHED,
            },
        )
        return tuple(
            TakenBack(task_id, attempts, correlation_id, gave_up=status == JobStatus.FAILED)
            for task_id, status, attempts, correlation_id, _ in rows
        )

    def due(self, limit: int) -> tuple[WakeUp, ...]:
        """Note sends and return them; a second sweep at the same time gets other rows."""
        rows = self.database.rows(
            "due_wake_ups",
            {
                "resend_after_s": self.limits.resend_after_s,
                "send_grace_s": self.limits.send_grace_s,
                "limit": limit,
                "slow_limit": SLOW_ROWS,
            },
        )
        return tuple(WakeUp(task_id, correlation_id) for task_id, correlation_id in rows)

    def not_sent(self, task_ids: tuple[str, ...]) -> None:
        """Clear the notes of rows that are still queued."""
        self.database.rows("not_sent", {"task_ids": list(task_ids)})
