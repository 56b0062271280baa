"""The text that is pushed: every family, and what the provider has to say of itself.

Written here and not by prometheus_client, whose import alone costs more than all of the rest: see README.md.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from powertools_pushgateway.families import Counter, Family, Gauge
from powertools_pushgateway.refusals import Refusals

FAILED_PUSHES: Final = "powertools_pushgateway_failed_pushes_total"
"""Also the mark by which the cleaner knows the groups that are ours."""
ENDED: Final = "powertools_pushgateway_ended"
"""1 in the last push of an environment that had an orderly end, by which the cleaner knows it; 0 before."""
REFUSALS: Final = "powertools_pushgateway_refusals_total"
OWN_NAMES: Final = frozenset({FAILED_PUSHES, ENDED, REFUSALS})
"""No handler's metric may be called so: the gateway would refuse every push with the name twice in it."""
HELP: Final = "Pushed by a function, through Powertools."
"""The same for all, since groups must agree on it and functions may say one metric in different units."""
REASONS: Final = (
    "dimension",
    "dimension_values",
    "error",
    "metrics",
    "name",
    "series",
    "thread",
    "type",
    "unit",
    "value",
)
"""Values of label `reason`; all are pushed from the start, so that an increase from zero is seen."""


def exposition(families: Iterable[Family], refusals: Refusals, failed_pushes: int, *, ended: bool) -> bytes:
    """Write all in Prometheus' text format; characters that are no valid Unicode become question marks."""
    failed = Counter(FAILED_PUSHES)
    failed.record((), float(failed_pushes))
    end = Gauge(ENDED)
    end.record((), float(ended))
    refused = Counter(REFUSALS)
    for reason in REASONS:
        refused.record((("reason", reason),), float(refusals.counts[reason]))
    return "".join(_lines([*families, failed, end, refused])).encode(errors="replace")


def _lines(families: Iterable[Family]) -> Iterator[str]:
    for family in families:
        yield f"# HELP {family.name} {HELP}\n"
        yield f"# TYPE {family.name} {family.kind}\n"
        yield from family.lines()
