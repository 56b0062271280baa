"""The stored tasks in Postgres."""

from dataclasses import dataclass
from typing import Final

from inference_contract.names import CHANNEL_FINISHED

from inference_worker.database import Database
from inference_worker.tasks_cli.task_book import (
    Filters,
    Task,
    TaskDetails,
    Transition,
    UnknownTaskError,
    WrongStateError,
)

STEP_ROWS: Final = 200
TASK_FIELDS: Final = 10


@dataclass(frozen=True, slots=True)
class PostgresTaskBook:
    """Implements `TaskBook`; `max_attempts` is what a requeued task gets."""

    database: Database
    max_attempts: int

    def list(self, filters: Filters) -> tuple[Task, ...]:
        """Read in one statement."""
        rows = self.database.rows(
            "list",
            {
                "status": filters.status,
                "model": filters.model,
                "caller": filters.caller,
                "since_s": filters.since_s,
                "limit": filters.limit,
            },
        )
        return tuple(Task(*row) for row in rows)

    def show(self, task_id: str) -> TaskDetails:
        """Read the row, then its story."""
        rows = self.database.rows("show", {"task_id": task_id})
        if not rows:
            raise self._unknown(task_id)
        story = self.database.rows("story", {"task_id": task_id})
        [row] = rows
        transitions = tuple(Transition(*step) for step in story)
        return TaskDetails(Task(*row[:TASK_FIELDS]), transitions, *row[TASK_FIELDS:])

    def requeue(self, task_id: str) -> None:
        """Change the row where it has failed."""
        if not self.database.rows("requeue", {"task_id": task_id, "max_attempts": self.max_attempts}):
            raise self._refused(task_id, "only a failed one is queued again")

    def requeue_failed(self, model: str | None) -> int:
        """Change rows step by step, so that no statement takes long."""
        total = 0
        [(now,)] = self.database.rows("clock", {})
        which = {"model": model, "failed_by": now}
        step = {**which, "max_attempts": self.max_attempts, "limit": STEP_ROWS}
        while count := len(self.database.rows("requeue_failed", step)):
            total += count
        return total

    def cancel(self, task_id: str) -> None:
        """Change the row where it is open."""
        if not self.database.rows("cancel", {"task_id": task_id, "channel": CHANNEL_FINISHED}):
            raise self._refused(task_id, "it has ended already")

    def _refused(self, task_id: str, why: str) -> UnknownTaskError | WrongStateError:
        states = self.database.rows("state", {"task_id": task_id})
        if not states or states[0][0] == "expired":
            return self._unknown(task_id)
        return WrongStateError(f"task {task_id} has the status {states[0][0]}: {why}")

    def _unknown(self, task_id: str) -> UnknownTaskError:
        states = self.database.rows("state", {"task_id": task_id})
        if states:
            return UnknownTaskError(f"task {task_id} has expired: its result is no longer kept")
        return UnknownTaskError(f"there is no task {task_id}")
