"""Use case: delete results that were kept for their time in small steps, and later their tombstones.

The totals of transitions outlive both; those of connections that are gone are folded into one on the way.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

logger = logging.getLogger(__name__)

STEP_ROWS: Final = 500
STEPS_MAX: Final = 20
"""In one tick: 10 000 rows, more than a tick's time can bring in, and a bounded hold of one process."""


class RetentionStore(Protocol):
    """The rows in Postgres; every call raises `StoreUnavailableError`."""

    def expire(self, limit: int) -> int:
        """Delete at most `limit` jobs that ended too long ago, keep their ids; returns how many."""

    def forget_expired(self, limit: int) -> int:
        """Delete at most `limit` ids that expired very long ago; returns how many."""

    def fold_totals(self, limit: int) -> int:
        """Fold at most `limit` totals of connections that are gone; returns how many."""


@dataclass(frozen=True, slots=True)
class Retention:
    """The use case with its store."""

    store: RetentionStore

    def __call__(self) -> int:
        """Delete what is due; returns how many jobs were deleted.

        Raises:
            StoreUnavailableError: Postgres did not answer; the next tick goes on.
        """
        expired, forgotten = _in_steps(self.store.expire), _in_steps(self.store.forget_expired)
        _in_steps(self.store.fold_totals)
        if expired or forgotten:
            logger.info("results expired", extra={"count": expired, "tombstones_deleted": forgotten})
        return expired


def _in_steps(step: Callable[[int], int]) -> int:
    total = 0
    for _ in range(STEPS_MAX):
        done = step(STEP_ROWS)
        total += done
        if done < STEP_ROWS:
            break
    return total
