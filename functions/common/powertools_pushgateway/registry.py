"""All that one environment has measured, bounded in every direction; only the pusher's thread touches it."""

import logging
import math
from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Final

from powertools_pushgateway.buckets import DEFAULT_BUCKETS
from powertools_pushgateway.errors import RefusedError
from powertools_pushgateway.exposition import OWN_NAMES
from powertools_pushgateway.families import Counter, Family, Gauge, Histogram
from powertools_pushgateway.labels import BoundedLabels
from powertools_pushgateway.names import metric_name
from powertools_pushgateway.refusals import Refusals
from powertools_pushgateway.samples import Batch, Sample
from powertools_pushgateway.units import Unit, unit_of

logger = logging.getLogger(__name__)

MAX_METRICS: Final = 200
"""Metric names of one environment: one beyond says that a name was made of data."""
MAX_SERIES: Final = 1000
"""Series of one environment, a histogram's counted once: labels multiply, even where each is bounded."""


class Registry:
    """Families by name, at most `MAX_METRICS` of them with `MAX_SERIES` together.

    Args:
        labels: which dimensions are kept.
        refusals: told of each sample that is not.
        buckets: a histogram's own bounds, by the metric's name as the handler says it.
    """

    def __init__(
        self,
        labels: BoundedLabels,
        refusals: Refusals,
        buckets: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        self.families: dict[str, Family] = {}
        self.refusals = refusals
        self._labels = labels
        self._buckets = buckets or {}
        self._taken = set(OWN_NAMES)
        self._series = 0

    def absorb(self, batch: Batch) -> None:
        """Take all samples that can be taken; never raises."""
        for sample in batch.samples:
            try:
                self._take(sample, batch)
            except RefusedError as refusal:
                self.refusals.add(refusal.reason, refusal.subject)
            except Exception:  # a handler can leave any object: the ones beside it must still count
                self.refusals.add("error", type(sample.value).__name__)
                logger.debug("sample failed", exc_info=True)

    def _take(self, sample: Sample, batch: Batch) -> None:
        unit = unit_of(sample.unit)
        name = metric_name(sample.name, unit, batch.namespace)
        value = unit.to_base(_number(sample.value, unit, name))
        family = self.families.get(name) or self._new_family(name, str(sample.name), unit)
        if family.kind != unit.kind:
            raise RefusedError("type", name)
        dimensions = batch.dimensions if sample.dimensions is None else sample.dimensions
        labels = self._labels.of(str(sample.name), dimensions)
        if labels not in family.series:
            if self._series >= MAX_SERIES:
                raise RefusedError("series", name)
            self._series += 1
        family.record(labels, value)

    def _new_family(self, name: str, said: str, unit: Unit) -> Family:
        if len(self.families) >= MAX_METRICS:
            raise RefusedError("metrics", name)
        family: Family
        if unit.kind == "histogram":
            family = Histogram(name, sorted(self._buckets.get(said, DEFAULT_BUCKETS[unit.suffix])))
        else:
            family = Counter(name) if unit.kind == "counter" else Gauge(name)
        if not self._taken.isdisjoint(family.sample_names()):
            raise RefusedError("type", name)
        self._taken.update(family.sample_names())
        self.families[name] = family
        return family


def _number(value: object, unit: Unit, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Number):
        raise RefusedError("value", name)
    number = float(value)  # type: ignore[arg-type] # a complex one fails, and is counted as an error
    # One NaN would spoil a sum for as long as the environment lives; no counter and no duration falls.
    if not math.isfinite(number) or (number < 0 and unit.kind != "gauge"):
        raise RefusedError("value", name)
    return number
