"""What became of the arrivals."""

import math
from dataclasses import dataclass, field

QUANTILES = (0.5, 0.95, 0.99)
LATE_S = 0.1
"""From here on the generator itself is said not to have kept the rate."""


@dataclass(slots=True)
class Tally:
    """Counts, and latencies in seconds from when an arrival was due, not from when it was sent."""

    begun: int = 0
    refused: int = 0
    """429 or 503 with Retry-After: said at once, and nothing was stored."""
    broken: int = 0
    """Neither accepted nor refused: another error, or no answer at all."""
    completed: int = 0
    failed: int = 0
    lost: int = 0
    """Accepted, and not known to have ended."""
    lateness_s: list[float] = field(default_factory=list)
    submit_s: list[float] = field(default_factory=list)
    """Of the accepted."""
    end_to_end_s: list[float] = field(default_factory=list)
    """Of those that ended: until this client had the result."""

    @property
    def accepted(self) -> int:
        """How many got a 202."""
        return len(self.submit_s)

    @property
    def open(self) -> int:
        """How many are being followed."""
        return self.accepted - self.completed - self.failed - self.lost

    @property
    def is_well(self) -> bool:
        """Whether something was accepted, and all of that has ended."""
        return self.accepted > 0 and self.lost == 0 and self.open == 0

    @property
    def was_late(self) -> bool:
        """Whether the generator could not keep its own rate."""
        return quantile(self.lateness_s, QUANTILES[-1]) > LATE_S


def quantile(seconds: list[float], q: float) -> float:
    """Return the smallest value that the share `q` of all does not exceed; 0 where there is none."""
    return sorted(seconds)[max(0, math.ceil(q * len(seconds)) - 1)] if seconds else 0.0
