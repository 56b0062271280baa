"""The rows in Postgres as the worker's main process sees them: progress, ends, and what its children held."""

from dataclasses import dataclass

from inference_worker.database import Database
from inference_worker.progress_watch import Movement


@dataclass(frozen=True, slots=True)
class PostgresPoolStore:
    """Implements `WatchStore` and `HandOver` for one worker."""

    database: Database
    pool: str
    max_attempts: int

    def movement(self, *, still_s: float, patience_s: float) -> Movement:
        """Ask in one statement, by the database's clock."""
        [(waiting, holding)] = self.database.rows(
            "movement", {"pool": self.pool, "still_s": still_s, "patience_s": patience_s}
        )
        return Movement(waiting, holding)

    def note_end(self, reason: str) -> None:
        """Append a row."""
        self.database.rows("note_end", {"worker": self.pool, "reason": reason})

    def hand_over(self) -> int:
        """Remove the worker and queue what its processes still hold; returns how many rows."""
        rows = self.database.rows("hand_over", {"pool": self.pool, "max_attempts": self.max_attempts})
        return len(rows)
