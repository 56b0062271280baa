"""Dimensions become labels by an allow-list and up to a number of values: a series per task is never made."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from powertools_pushgateway.names import label_name
from powertools_pushgateway.refusals import Refusals

type Labels = tuple[tuple[str, str], ...]

OTHER: Final = "other"
"""Value that stands for all beyond the limit: the sample still counts, so sums stay right."""
LONGEST_VALUE: Final = 128


class BoundedLabels:
    """The labels that one environment has used so far, and may use.

    Args:
        allowed: dimensions that any metric may have.
        of_metric: for some metrics, by the name that the handler uses, just these dimensions instead.
        max_values: most values of one dimension.
        refusals: told of what was left off.
    """

    def __init__(
        self,
        allowed: Collection[str],
        of_metric: Mapping[str, Collection[str]],
        max_values: int,
        refusals: Refusals,
    ) -> None:
        self._allowed = _names(allowed)
        self._of_metric = {metric: _names(names) for metric, names in of_metric.items()}
        self._known = self._allowed.union(*self._of_metric.values())
        self._max_values = max_values
        self._refusals = refusals
        self._seen: dict[str, set[str]] = {}

    def of(self, metric: str, dimensions: Mapping[str, object]) -> Labels:
        """Give a sample's labels, sorted by name."""
        allowed = self._of_metric.get(metric, self._allowed)
        labels = {}
        for dimension, value in dimensions.items():
            name = label_name(dimension)
            if name is None or name not in self._known:
                self._refusals.add("dimension", dimension)
            elif name in allowed:
                labels[name] = self._bounded(name, str(value)[:LONGEST_VALUE])
        return tuple(sorted(labels.items()))

    def _bounded(self, name: str, value: str) -> str:
        seen = self._seen.setdefault(name, set())
        if value in seen:
            return value
        if len(seen) >= self._max_values:
            self._refusals.add("dimension_values", name)
            return OTHER
        seen.add(value)
        return value


def _names(dimensions: Iterable[str]) -> frozenset[str]:
    return frozenset(name for dimension in dimensions if (name := label_name(dimension)) is not None)
