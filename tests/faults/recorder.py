"""Keeps every answer that the load got."""

import math
import threading
from dataclasses import dataclass, field

ACCEPTED = 202
NO_ROOM = frozenset({429, 503})
NO_ANSWER = 0
"""The status of a submit whose connection broke or timed out."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """One submit and what became of it; `due_at` is when it was to be sent, in seconds since the epoch."""

    due_at: float
    latency_s: float
    status: int
    caller: str
    model: str
    features: tuple[float, ...]
    task_id: str | None = None
    retry_after: str | None = None
    content_type: str | None = None
    text: str = ""


@dataclass(slots=True)
class Recorder:
    """All submits of one episode, in the order of their answers."""

    _all: list[Submitted] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, submitted: Submitted) -> None:
        """Keep one."""
        with self._lock:
            self._all.append(submitted)

    def all(self) -> list[Submitted]:
        """Copy what is there so far."""
        with self._lock:
            return list(self._all)

    def accepted(self) -> list[Submitted]:
        """Those that were promised a result."""
        return [each for each in self.all() if each.status == ACCEPTED]

    def refused(self) -> list[Submitted]:
        """Those that got another answer, or none."""
        return [each for each in self.all() if each.status != ACCEPTED]

    def failed(self) -> list[Submitted]:
        """Those that got neither a promise nor an honest word that there is no room at the moment."""
        return [each for each in self.refused() if each.status not in NO_ROOM or not each.retry_after]

    def between(self, begin: float, end: float) -> list[Submitted]:
        """Those that were due in a span of time."""
        return [each for each in self.all() if begin <= each.due_at < end]


def percentile(values: list[float], percent: float) -> float:
    """Nearest-rank percentile; 0.0 of nothing."""
    if not values:
        return 0.0
    rank = math.ceil(len(values) * percent / 100)
    return sorted(values)[max(rank, 1) - 1]
