"""Whether LocalStack is the release that our hooks were written against; if not, they stay away."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version

# The last release of LocalStack's open core (ADR 0001).
LOCALSTACK_CORE_VERSION = "2026.3.0"


@dataclass(frozen=True, slots=True)
class HookState:
    """Whether a hook is in place, with the reason in words."""

    enabled: bool
    reason: str


def mismatch(expected: Mapping[Callable[..., object], tuple[str, ...]]) -> str | None:
    """What differs from the pinned release: its version, or a replaced function's parameters."""
    found = version("localstack-core")
    if found != LOCALSTACK_CORE_VERSION:
        return f"localstack-core is {found}, the hooks are made for {LOCALSTACK_CORE_VERSION}"
    for function, parameters in expected.items():
        if tuple(inspect.signature(function).parameters) != parameters:
            return f"{function.__qualname__} takes other parameters than in {LOCALSTACK_CORE_VERSION}"
    return None
