"""What a handler leaves behind: raw, since all that can fail is done off the request's path."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One `add_metric`, as it was called.

    Args:
        name: the metric's name.
        unit: a `MetricUnit`, its value ("Count/Second") or its member's name ("CountPerSecond").
        value: a number.
        dimensions: its own, which stand in the place of the invocation's; None for the invocation's.
    """

    name: object
    unit: object
    value: object
    dimensions: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """All samples of one flush, and the dimensions that were set by its end."""

    namespace: str
    dimensions: Mapping[str, object]
    samples: tuple[Sample, ...]
