"""Names by Prometheus' rules: snake case, base unit last, `_total` once, nothing that is reserved."""

import re
from typing import Final

from powertools_pushgateway.errors import RefusedError
from powertools_pushgateway.units import Unit

# Between "y" and "C" of "myCount", and between "P" and "L" of "HTTPLatency".
_WORD_STARTS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_ALLOWED: Final = re.compile(r"[^a-z0-9]+")
LONGEST_NAME: Final = 200
"""Longer ones are data, not names; CloudWatch's limit is 255 before a namespace is added."""
GATEWAY_METRICS: Final = frozenset({"push_time_seconds", "push_failure_time_seconds"})
"""The gateway adds these to each group and refuses a push that holds one."""
GROUP_LABELS: Final = frozenset({"job", "instance"})
RESERVED_LABELS: Final = GROUP_LABELS | {"le", "quantile"}


def snake_case(text: str) -> str:
    """Put a name into lower case with single underscores; empty if no letter or digit is in it."""
    return _NOT_ALLOWED.sub("_", _WORD_STARTS.sub("_", text).lower()).strip("_")


def metric_name(name: object, unit: Unit, namespace: str = "") -> str:
    """Make the name that Prometheus shows: `OrderCount` in Count becomes `order_total`.

    Raises:
        RefusedError: nothing valid is left of the name, or it is reserved, or too long.
    """
    stem = snake_case(name) if isinstance(name, str) else ""
    if not stem:
        raise RefusedError("name", repr(name)[:LONGEST_NAME])
    full = _with_prefix(_with_suffix(stem, unit), snake_case(namespace))
    if full in GATEWAY_METRICS or len(full) > LONGEST_NAME:
        raise RefusedError("name", full[:LONGEST_NAME])
    return f"_{full}" if full[0].isdigit() else full


def label_name(dimension: str) -> str | None:
    """Make a label's name; None where none can be made or Prometheus needs it for itself."""
    name = snake_case(dimension)
    if not name or name in RESERVED_LABELS:
        return None
    return f"_{name}" if name[0].isdigit() else name


def _with_suffix(stem: str, unit: Unit) -> str:
    if not unit.suffix or stem == unit.suffix or stem.endswith(f"_{unit.suffix}"):
        return stem
    for spelling in unit.spelt:
        if stem.endswith(f"_{spelling}"):
            return f"{stem.removesuffix(f'_{spelling}')}_{unit.suffix}"
    return f"{stem}_{unit.suffix}"


def _with_prefix(name: str, namespace: str) -> str:
    return name if not namespace or name.startswith(f"{namespace}_") else f"{namespace}_{name}"
