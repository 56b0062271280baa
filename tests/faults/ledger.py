"""What each fault cost, as the end of a run shows it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

COLUMNS = "accepted  ended  lost  twice  refused  longest recovery  slowest 202  p99 202"


@dataclass(frozen=True, slots=True)
class Entry:
    """One fault's figures; `longest_recovery_s` is from the fault's end, or the submit if that was later."""

    fault: str
    accepted: int
    ended: int
    lost: int
    stored_twice: int
    refused: int
    longest_recovery_s: float
    slowest_accepted_s: float
    p99_accepted_s: float
    violations: int


@dataclass(slots=True)
class Ledger:
    """All faults of a run."""

    entries: list[Entry] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def table(self) -> list[str]:
        """Lines for a terminal."""
        width = max((len(entry.fault) for entry in self.entries), default=0)
        lines = [f"{'fault':{width}}  {COLUMNS}", *(_line(entry, width) for entry in self.entries)]
        return [*lines, _line(self.total(), width), *self.remarks]

    def total(self) -> Entry:
        """Add up; of the times, the worst."""
        every = self.entries
        return Entry(
            "all of them",
            sum(entry.accepted for entry in every),
            sum(entry.ended for entry in every),
            sum(entry.lost for entry in every),
            sum(entry.stored_twice for entry in every),
            sum(entry.refused for entry in every),
            max((entry.longest_recovery_s for entry in every), default=0.0),
            max((entry.slowest_accepted_s for entry in every), default=0.0),
            max((entry.p99_accepted_s for entry in every), default=0.0),
            sum(entry.violations for entry in every),
        )

    def write(self, path: Path) -> None:
        """Write the figures as JSON."""
        figures = {
            "faults": [asdict(entry) for entry in self.entries],
            "total": asdict(self.total()),
            "remarks": self.remarks,
        }
        path.write_text(json.dumps(figures, indent=2) + "\n")


def _line(entry: Entry, width: int) -> str:
    return (
        f"{entry.fault:{width}}  {entry.accepted:8}  {entry.ended:5}  {entry.lost:4}  {entry.stored_twice:5}"
        f"  {entry.refused:7}  {entry.longest_recovery_s:14.1f} s  {entry.slowest_accepted_s:9.2f} s"
        f"  {entry.p99_accepted_s:5.2f} s"
    )
