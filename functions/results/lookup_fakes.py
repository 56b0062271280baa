"""Hand-written fakes of the results function's ports, for tests; they are not packaged."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from inference_api.errors import BrokerUnavailableError, DatabaseUnavailableError
from inference_contract.job import Job


@dataclass(slots=True)
class FakeJobs:
    """Jobs in memory, and a clock that only waiting moves; `events` happen at their second of it."""

    jobs: dict[str, Job] = field(default_factory=dict)
    events: dict[float, Callable[[], None]] = field(default_factory=dict)
    down: bool = False
    now_s: float = 0.0
    listeners: int = 0
    finds: int = 0

    def clock(self) -> float:
        """Seconds waited so far."""
        return self.now_s

    def find(self, task_id: str) -> Job | None:
        """Read a job, or be unavailable."""
        if self.down:
            raise DatabaseUnavailableError
        self.finds += 1
        return self.jobs.get(task_id)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Count who listens, so that a test sees it end; what is due by now happens just before."""
        self._happen(self.now_s)
        self.listeners += 1
        try:
            yield
        finally:
            self.listeners -= 1

    def wait_for_end(self, task_id: str, timeout_s: float) -> None:
        """Move the clock to the next event or the timeout; the job `task_id` may be changed by the event."""
        if not self.listeners:
            raise AssertionError(f"waits for {task_id} without listening")
        end_s = self.now_s + timeout_s
        self.now_s = min([end_s, *self.events])
        self._happen(self.now_s)

    def _happen(self, until_s: float) -> None:
        for at_s in sorted(at_s for at_s in self.events if at_s <= until_s):
            self.events.pop(at_s)()


@dataclass(slots=True)
class FakeWorkers:
    """A number of live workers."""

    live: int = 1
    down: bool = False

    def count_live(self, within_s: float) -> int:
        """Give the number, or be unavailable; `within_s` does not matter to it."""
        del within_s
        if self.down:
            raise DatabaseUnavailableError
        return self.live


@dataclass(slots=True)
class FakeBroker:
    """A broker that answers or not."""

    down: bool = False

    def ping(self) -> None:
        """Answer, or be unavailable."""
        if self.down:
            raise BrokerUnavailableError
