"""What the launcher knows of a part: how it is started, what it is made of, and when it is well."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

STARTUP_DEADLINE_S = 30.0


class NotReadyError(Exception):
    """A probe's answer while a part is not well yet; the text says what is missing."""


class PartFailedError(Exception):
    """A probe's answer when no waiting will help; the text says what failed."""

    def __init__(self, reason: str, log: str) -> None:
        """Carry the reason and the name of the log that tells more."""
        super().__init__(reason)
        self.log = log


@dataclass(frozen=True, slots=True)
class Part:
    """One supervised process (with its children)."""

    name: str
    command: tuple[str, ...]
    probe: Callable[[], str]
    """Returns a line about the healthy part, or raises NotReadyError or PartFailedError."""
    ports: dict[str, int] = field(default_factory=dict)
    """Ports that the part listens on, by the name of their setting."""
    environment: dict[str, str] = field(default_factory=dict)
    watched: tuple[Path, ...] = ()
    """Files and folders whose change means that a running part is restarted."""
    user: str | None = None
    stop_signal: str = "TERM"
    stop_wait_s: int = 10
    prepare: Callable[[], None] = lambda: None
    """Run once before each start; leaves what is already there alone."""
    needs_schema: bool = False
    """Whether it can start only after the migrations."""
    startup_deadline_s: float = STARTUP_DEADLINE_S
