"""How many calls each function gets at once: Nginx lets no more through, and submits are warmed up."""

import os
from dataclasses import dataclass

from stack.settings import Settings

PER_CPU = 2
"""Calls of one function at once: more are hardly faster, and each may start an environment meanwhile."""


@dataclass(frozen=True, slots=True)
class Slots:
    """Calls at once: submits, reads, and long polls."""

    submit: int
    read: int
    wait: int


def slots_of(settings: Settings) -> Slots:
    """Share the reserved concurrency: half of the reading function's calls may be long polls."""
    fitting = PER_CPU * (os.cpu_count() or 1)
    wait = max(settings.results_concurrency // 2, 1)
    return Slots(
        submit=min(settings.predict_concurrency, fitting),
        read=max(min(settings.results_concurrency - wait, fitting), 1),
        wait=wait,
    )
