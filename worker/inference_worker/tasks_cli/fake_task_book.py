"""A hand-written fake of the command line's port, shipped beside it."""

from dataclasses import dataclass, field

from inference_worker.errors import StoreUnavailableError
from inference_worker.tasks_cli.task_book import Filters, Task, TaskDetails, UnknownTaskError, WrongStateError


@dataclass
class FakeTaskBook:
    """Implements `TaskBook` over tasks that a test lays out."""

    tasks: dict[str, TaskDetails] = field(default_factory=dict)
    asked: list[Filters] = field(default_factory=list)
    requeued: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    unavailable: bool = False

    def list(self, filters: Filters) -> tuple[Task, ...]:
        """Note the filters and return every task."""
        self._answer()
        self.asked.append(filters)
        return tuple(details.task for details in self.tasks.values())

    def show(self, task_id: str) -> TaskDetails:
        """Return one task."""
        self._answer()
        if task_id not in self.tasks:
            raise UnknownTaskError(f"there is no task {task_id}")
        return self.tasks[task_id]

    def requeue(self, task_id: str) -> None:
        """Note a failed task."""
        if self.show(task_id).task.status != "failed":
            raise WrongStateError
        self.requeued.append(task_id)

    def requeue_failed(self, model: str | None) -> int:
        """Note every failed task of the model."""
        self._answer()
        failed = [
            details.task.task_id
            for details in self.tasks.values()
            if details.task.status == "failed" and model in {None, details.task.model}
        ]
        self.requeued.extend(failed)
        return len(failed)

    def cancel(self, task_id: str) -> None:
        """Note an open task."""
        if self.show(task_id).task.status not in {"queued", "running"}:
            raise WrongStateError
        self.cancelled.append(task_id)

    def _answer(self) -> None:
        if self.unavailable:
            raise StoreUnavailableError("Postgres did not answer")
