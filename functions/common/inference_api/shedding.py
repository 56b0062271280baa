"""How many unfinished jobs there may be, and when one who is refused shall come again (ADR 0006)."""

import math
from dataclasses import dataclass
from typing import Final

from inference_api.errors import ApiError, CallerFullError, SystemFullError

ROOM_SHARE: Final = 0.1
"""Come back when a tenth of what waits is done: at the first free place, everybody would be there."""
RETRY_MIN_S: Final = 1
RETRY_MAX_S: Final = 60
RETRY_UNKNOWN_S: Final = 10
"""Nothing ended in the last minute, so no rate is known: two sweeps, which bring stuck jobs back."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Most jobs that are queued or running, of one caller and in all."""

    of_caller: int = 1000
    in_all: int = 5000


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Load:
    """Queued and running jobs, counted up to the limit in all, and how many jobs end in a second."""

    of_caller: int
    in_all: int
    finished_per_s: float


def refusal(load: Load, limits: Limits) -> ApiError:
    """Say why there is no room, and when there will be.

    Args:
        load: as it was when a job found no room.
        limits: what it may be.
    """
    if load.of_caller >= limits.of_caller:
        detail = f"You have {load.of_caller} unfinished tasks; at most {limits.of_caller} are accepted."
        return CallerFullError(detail, retry_after_s=retry_after_s(load.of_caller, load.finished_per_s))
    detail = "As many tasks are unfinished as the platform can hold; nothing was accepted."
    return SystemFullError(detail, retry_after_s=retry_after_s(load.in_all, load.finished_per_s))


def retry_after_s(waiting: int, finished_per_s: float) -> int:
    """Seconds until a tenth of `waiting` jobs has ended at this rate, within bounds."""
    if finished_per_s <= 0:
        return RETRY_UNKNOWN_S
    return max(RETRY_MIN_S, min(RETRY_MAX_S, math.ceil(waiting * ROOM_SHARE / finished_per_s)))
