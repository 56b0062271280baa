"""What is asked for, and when each arrival is due: nothing that the stack does moves it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

IRIS_RANGES = ((4.3, 7.9), (2.0, 4.4), (1.0, 6.9), (0.1, 2.5))
BATCH_ROWS = (2, 20)


@dataclass(frozen=True, slots=True)
class Plan:
    """An open model: `rate_per_s` submits for `seconds`, the share `batch` of them with several rows."""

    rate_per_s: float
    seconds: float
    batch: float
    patience_s: float = 60.0
    """How long an accepted job is waited for after its arrival."""

    @property
    def arrivals(self) -> int:
        """How many there will be."""
        return round(self.rate_per_s * self.seconds)

    def due_s(self) -> Iterator[float]:
        """Give the seconds from the beginning at which each arrives."""
        return (number / self.rate_per_s for number in range(self.arrivals))


def body(plan: Plan, chance: random.Random) -> dict[str, object]:
    """Make up what one arrival submits."""
    if chance.random() < plan.batch:
        return {"instances": [_row(chance) for _ in range(chance.randint(*BATCH_ROWS))]}
    return {"features": _row(chance)}


def _row(chance: random.Random) -> list[float]:
    return [round(chance.uniform(*bounds), 1) for bounds in IRIS_RANGES]
