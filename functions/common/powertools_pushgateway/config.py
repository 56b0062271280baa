"""Limits of a provider, each with its default."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from powertools_pushgateway.pusher import Rhythm


@dataclass(frozen=True, slots=True)
class Limits:
    """What keeps the number of series small and the request's path free.

    Args:
        dimensions: those that become labels; what is not named is left off, with one warning.
        of_metric: for some metrics just these dimensions instead, by the name that the handler uses.
        max_values: most values of one dimension; all beyond are shown as `other`.
        buckets: a histogram's own upper bounds in its base unit, by the name that the handler uses.
        timeout_s: longest that one push takes, and that an end waits for the last one.
        rhythm: how often to push.
    """

    dimensions: Collection[str] = ()
    of_metric: Mapping[str, Collection[str]] = field(default_factory=dict)
    max_values: int = 50
    buckets: Mapping[str, Sequence[float]] = field(default_factory=dict)
    timeout_s: float = 0.2
    rhythm: Rhythm = field(default_factory=Rhythm)
