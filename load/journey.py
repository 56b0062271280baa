"""One arrival's way: submit once, then ask until its job has ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from inference_contract.job import JobStatus

from load.tally import Tally

LONG_POLL_S = 10
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
REFUSED = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; status 0 where there was none."""

    status: int
    json: Mapping[str, Any]
    retry_after_s: float | None = None


class Api(Protocol):
    """The API as a client sees it."""

    def submit(self, body: Mapping[str, object]) -> Answer:
        """Send one submit."""

    def look(self, task_id: str, wait_s: int) -> Answer:
        """Ask for a result, and have the answer held back until it is there."""


@dataclass(frozen=True, slots=True)
class Journey:
    """The use case; `pause` and `clock` are seconds of the same time."""

    api: Api
    tally: Tally
    clock: Callable[[], float]
    pause: Callable[[float], object]
    patience_s: float

    def __call__(self, body: Mapping[str, object], due_at: float) -> None:
        """Go all the way; what became of it is in the tally."""
        self.tally.begun += 1
        self.tally.lateness_s.append(self.clock() - due_at)
        answer = self.api.submit(body)
        if answer.status == HTTPStatus.ACCEPTED:
            self.tally.submit_s.append(self.clock() - due_at)
            self._follow(str(answer.json["task_id"]), due_at)
        elif answer.status in REFUSED and answer.retry_after_s is not None:
            self.tally.refused += 1
        else:
            self.tally.broken += 1

    def _follow(self, task_id: str, due_at: float) -> None:
        pause_s = FIRST_PAUSE_S
        while self.clock() < due_at + self.patience_s:
            answer = self.api.look(task_id, LONG_POLL_S)
            if answer.status in GONE:
                break
            if answer.status == HTTPStatus.OK:
                if self._has_ended(JobStatus(answer.json["status"]), due_at):
                    return
                continue
            # Whoever finds the door busy comes again later each time; the job itself is safe.
            self.pause(min(max(answer.retry_after_s or 0, pause_s), LONGEST_PAUSE_S))
            pause_s *= 2
        self.tally.lost += 1

    def _has_ended(self, status: JobStatus, due_at: float) -> bool:
        if not status.is_final:
            return False
        self.tally.end_to_end_s.append(self.clock() - due_at)
        if status is JobStatus.SUCCEEDED:
            self.tally.completed += 1
        else:
            self.tally.failed += 1
        return True
