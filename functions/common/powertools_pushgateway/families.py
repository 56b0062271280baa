"""A metric with all its series, cumulative since the environment began, and its lines for the gateway."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import ClassVar

from powertools_pushgateway.labels import Labels
from powertools_pushgateway.units import Kind

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Gauge:
    """Keeps what was said last."""

    kind: ClassVar[Kind] = "gauge"

    def __init__(self, name: str) -> None:
        self.name = name
        self.series: dict[Labels, float] = {}

    def record(self, labels: Labels, value: float) -> None:
        """Take one value."""
        self.series[labels] = value

    def sample_names(self) -> tuple[str, ...]:
        """Names that its lines begin with: no other family may use one of them."""
        return (self.name,)

    def lines(self) -> Iterator[str]:
        """Write the text format, without its head."""
        for labels, value in self.series.items():
            yield sample_line(self.name, labels, value)


class Counter(Gauge):
    """Adds up."""

    kind: ClassVar[Kind] = "counter"

    def record(self, labels: Labels, value: float) -> None:
        """Add one value."""
        self.series[labels] = self.series.get(labels, 0.0) + value


class Histogram:
    """Counts values in buckets; a series is a count per bucket, one for beyond the last, and the sum."""

    kind: ClassVar[Kind] = "histogram"

    def __init__(self, name: str, bounds: Sequence[float]) -> None:
        self.name = name
        self.bounds = bounds
        self.series: dict[Labels, tuple[list[int], float]] = {}

    def record(self, labels: Labels, value: float) -> None:
        """Count one value."""
        counts, total = self.series.get(labels) or ([0] * (len(self.bounds) + 1), 0.0)
        counts[bisect_left(self.bounds, value)] += 1
        self.series[labels] = (counts, total + value)

    def sample_names(self) -> tuple[str, ...]:
        """Names that its lines begin with, and its own."""
        return (self.name, *(f"{self.name}_{part}" for part in ("bucket", "sum", "count")))

    def lines(self) -> Iterator[str]:
        """Write the text format, without its head; the format's buckets are cumulative."""
        edges = [*(repr(float(bound)) for bound in self.bounds), "+Inf"]
        for labels, (counts, total) in self.series.items():
            below = 0
            for edge, count in zip(edges, counts, strict=True):
                below += count
                yield sample_line(f"{self.name}_bucket", (*labels, ("le", edge)), below)
            yield sample_line(f"{self.name}_sum", labels, total)
            yield sample_line(f"{self.name}_count", labels, below)


type Family = Gauge | Histogram


def sample_line(name: str, labels: Labels, value: float) -> str:
    """Write one line of the text format."""
    inner = ",".join(f'{label}="{text.translate(_ESCAPES)}"' for label, text in labels)
    return f"{name}{{{inner}}} {value!r}\n" if inner else f"{name} {value!r}\n"
