"""Use case: bring lost rows back and send lost wake-ups again (ADR 0002); safe to run twice at once.

The queue is only topped up to a limit, so that sweeping cannot flood a broker that is merely slow to empty.
"""

import logging
from dataclasses import dataclass
from typing import Final, Protocol

from inference_worker.errors import SendFailedError
from inference_worker.measurements import NO_MEASUREMENTS, MeasuredSweep, Measurements

logger = logging.getLogger(__name__)

GAVE_UP: Final = "gave up: on the last of its attempts the worker died or did not finish in time"


@dataclass(frozen=True, slots=True)
class WakeUp:
    """A message to be sent: the row's id and the request id that travels along."""

    task_id: str
    correlation_id: str | None


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A row whose lease had run out; `gave_up` when it had no attempt left."""

    task_id: str
    attempts: int
    correlation_id: str | None
    gave_up: bool


class SweepStore(Protocol):
    """The rows in Postgres; every call raises `StoreUnavailableError`."""

    def take_back(self, reason: str) -> tuple[TakenBack, ...]:
        """Queue rows with a lapsed lease again, or fail those at the attempt limit with `reason`."""

    def due(self, limit: int) -> tuple[WakeUp, ...]:
        """Note a send for at most `limit` queued rows that need one, and return them."""

    def not_sent(self, task_ids: tuple[str, ...]) -> None:
        """Take the note of a send back."""


class Broker(Protocol):
    """The queue in Redis; every call raises `SendFailedError`."""

    def waiting(self) -> int:
        """Count the messages that wait for a worker."""

    def send(self, wake_up: WakeUp) -> None:
        """Send a wake-up, without retries."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """The use case with its collaborators; `limit` is the length up to which the queue is filled."""

    store: SweepStore
    broker: Broker
    limit: int
    measurements: Measurements = NO_MEASUREMENTS

    def __call__(self) -> int:
        """Sweep once; returns how many wake-ups were sent.

        Raises:
            StoreUnavailableError: Postgres did not answer; the next sweep does it.
        """
        taken_back = self.store.take_back(GAVE_UP)
        for row in taken_back:
            logger.warning(
                "job failed for good" if row.gave_up else "job taken back",
                extra={
                    "task_id": row.task_id,
                    "attempts": row.attempts,
                    "correlation_id": row.correlation_id,
                },
            )
        sent = self._top_up()
        gave_up = sum(row.gave_up for row in taken_back)
        self.measurements.swept(MeasuredSweep(sent, len(taken_back) - gave_up, gave_up))
        return sent

    def _top_up(self) -> int:
        try:
            room = max(0, self.limit - self.broker.waiting())
        except SendFailedError:
            logger.warning("broker does not answer, nothing sent", exc_info=True)
            return 0
        return self._send(self.store.due(room)) if room else 0

    def _send(self, wake_ups: tuple[WakeUp, ...]) -> int:
        for sent, wake_up in enumerate(wake_ups):
            try:
                self.broker.send(wake_up)
            except SendFailedError:
                logger.warning("wake-ups not sent", extra={"count": len(wake_ups) - sent}, exc_info=True)
                self.store.not_sent(tuple(unsent.task_id for unsent in wake_ups[sent:]))
                return sent
        if wake_ups:
            logger.info("wake-ups sent again", extra={"count": len(wake_ups)})
        return len(wake_ups)
