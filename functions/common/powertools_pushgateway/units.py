"""CloudWatch's units as Prometheus sees them: a metric type, a base unit and the way there."""

from dataclasses import dataclass
from typing import Final, Literal

from powertools_pushgateway.errors import RefusedError

type Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Unit:
    """How values of a unit are kept.

    Args:
        kind: Prometheus metric type.
        suffix: what a metric's name ends in: the base unit, or `total`.
        times: multiplies a value on its way to the base unit.
        per: divides it; apart from `times`, so that 3 ms are exactly 0.003 s and fall into the right bucket.
        spelt: endings of a name that say the old unit and would be wrong beside the base unit.
    """

    kind: Kind
    suffix: str
    times: int = 1
    per: int = 1
    spelt: tuple[str, ...] = ()

    def to_base(self, value: float) -> float:
        """Convert a value to the base unit."""
        return value * self.times / self.per


BITS_PER_BYTE: Final = 8
# Prometheus counts in SI steps, and so do CloudWatch's names: a kilobyte is 1000 bytes.
_PREFIXES: Final = (("", 1), ("Kilo", 10**3), ("Mega", 10**6), ("Giga", 10**9), ("Tera", 10**12))


def _sizes() -> dict[str, Unit]:
    units = {}
    for prefix, times in _PREFIXES:
        short = prefix[:1].lower()
        for noun, per in (("bytes", 1), ("bits", BITS_PER_BYTE)):
            name = f"{prefix}{noun}" if prefix else noun.capitalize()
            spelt = (name.lower(), f"{short}b") if short and per == 1 else (name.lower(),)
            units[name] = Unit("histogram", "bytes", times, per, spelt)
            units[f"{name}/Second"] = Unit("gauge", "bytes_per_second", times, per)
    return units


UNITS: Final[dict[str, Unit]] = {
    "Count": Unit("counter", "total", spelt=("count",)),
    "Seconds": Unit("histogram", "seconds"),
    "Milliseconds": Unit("histogram", "seconds", per=10**3, spelt=("milliseconds", "millis", "ms")),
    "Microseconds": Unit("histogram", "seconds", per=10**6, spelt=("microseconds", "micros", "us")),
    **_sizes(),
    # Whoever adds up rates or shares of environments means something that only a gauge leaves open.
    "Percent": Unit("gauge", "ratio", per=100, spelt=("percent", "percentage", "pct")),
    "Count/Second": Unit("gauge", "per_second"),
    "None": Unit("gauge", ""),
}


def unit_of(unit: object) -> Unit:
    """Find a unit by `MetricUnit`, by its value, or by its member's name, as Powertools takes them.

    Raises:
        RefusedError: CloudWatch has no such unit.
    """
    name = str(getattr(unit, "value", unit))
    known = UNITS.get(name) or UNITS.get(name.replace("PerSecond", "/Second").replace("NoUnit", "None"))
    if known is None:
        raise RefusedError("unit", name)
    return known
