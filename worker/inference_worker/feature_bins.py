"""Ten bins a feature, bounded by the deciles of its training rows: what drift is measured in."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

BINS: Final = 10


def bin_of(value: float, deciles: Sequence[float]) -> int:
    """Return the bin, 0 to 9: how many of the nine deciles are below the value.

    A value that equals a decile is in the bin below it. Where deciles are equal, because many rows tie, the
    bins between them stay empty, in training as in service.
    """
    return bisect_left(deciles, value)


def shares(values: Iterable[float], deciles: Sequence[float]) -> tuple[float, ...]:
    """Return the share of the values in each bin; they sum to 1, or are all 0 without values."""
    counts = [0] * BINS
    for value in values:
        counts[bin_of(value, deciles)] += 1
    total = sum(counts) or 1
    return tuple(count / total for count in counts)
