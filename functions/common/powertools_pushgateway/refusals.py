"""What was not kept: counted by reason, and logged once a case, never once a sample."""

import logging
from collections import Counter
from typing import Final

logger = logging.getLogger(__name__)

MOST_WARNINGS: Final = 20
"""Names can be as many as tasks: after this many cases only the count goes on."""


class Refusals:
    """Counts of one environment; only its pusher's thread writes to it."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._warned: set[tuple[str, str]] = set()

    def add(self, reason: str, subject: str, count: int = 1) -> None:
        """Count a refusal; warn where its case is new.

        Args:
            reason: one of a few constants, since it becomes a label's value.
            subject: name of the dimension or metric.
            count: samples or labels that it struck.
        """
        self.counts[reason] += count
        case = (reason, subject)
        if case in self._warned or len(self._warned) >= MOST_WARNINGS:
            return
        self._warned.add(case)
        logger.warning("metric sample refused", extra={"reason": reason, "subject": subject})
