"""Whether jobs would be run now: each part that a job needs, asked in turn."""

from dataclasses import dataclass
from typing import Final, Literal, Protocol

from inference_api.errors import BrokerUnavailableError, DatabaseUnavailableError

LIVE_WITHIN_S: Final = 15.0
"""Three heartbeats of a worker: one may be late, three are not."""


class Workers(Protocol):
    """What is known of the workers."""

    def count_live(self, within_s: float) -> int:
        """Count the workers seen in the last `within_s` seconds."""


class Broker(Protocol):
    """What carries the wake-ups."""

    def ping(self) -> None:
        """Return when it answers."""


@dataclass(frozen=True, slots=True)
class State:
    """How one dependency is, and why."""

    status: Literal["ok", "down"]
    detail: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """The use case, over its ports."""

    workers: Workers
    broker: Broker

    def __call__(self) -> dict[str, State]:
        """Ask each dependency; at most three seconds even when all are dead."""
        postgres, workers = self._database_states()
        return {"postgres": postgres, "redis": self._broker_state(), "workers": workers}

    def _database_states(self) -> tuple[State, State]:
        """One question answers for both: heartbeats are rows, unknown while Postgres is down."""
        try:
            live = self.workers.count_live(LIVE_WITHIN_S)
        except DatabaseUnavailableError:
            return State("down", "does not answer"), State("down", "unknown while postgres is down")
        if not live:
            return State("ok", "answers"), State("down", f"none seen in the last {LIVE_WITHIN_S:.0f} s")
        return State("ok", "answers"), State("ok", f"{live} alive")

    def _broker_state(self) -> State:
        try:
            self.broker.ping()
        except BrokerUnavailableError:
            return State("down", "does not answer")
        return State("ok", "answers")
