"""What is asked for, and when each arrival is due: nothing that the stack does moves it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

SPECIES = (
    ((5.01, 0.35), (3.43, 0.38), (1.46, 0.17), (0.25, 0.11)),
    ((5.94, 0.52), (2.77, 0.31), (4.26, 0.47), (1.33, 0.20)),
    ((6.59, 0.64), (2.97, 0.32), (5.55, 0.55), (2.03, 0.27)),
)
"""Mean and deviation of each feature: flowers as the training had them, or a load would be told as drift."""
SMALLEST_CM = 0.1
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
    species = chance.choice(SPECIES)
    return [max(SMALLEST_CM, round(chance.gauss(*feature), 1)) for feature in species]
