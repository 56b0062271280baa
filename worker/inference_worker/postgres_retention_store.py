"""Tables `predictions`, `expired` and `job_totals` in Postgres, as retention sees them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from inference_worker.database import Database

TOMBSTONES_KEPT: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class PostgresRetentionStore:
    """Implements `RetentionStore`; rows that are open are never touched."""

    database: Database
    results_kept: timedelta

    def expire(self, limit: int) -> int:
        """Delete the oldest and insert their ids in one statement."""
        return self._delete("expire", self.results_kept, limit)

    def forget_expired(self, limit: int) -> int:
        """Delete the oldest ids."""
        return self._delete("forget_expired", TOMBSTONES_KEPT, limit)

    def fold_totals(self, limit: int) -> int:
        """Fold in one statement; the sums over all slots stay as they are."""
        [(folded,)] = self.database.rows("fold_totals", {"limit": limit})
        return int(folded)

    def _delete(self, statement: str, kept: timedelta, limit: int) -> int:
        return len(self.database.rows(statement, {"keep_s": kept.total_seconds(), "limit": limit}))
