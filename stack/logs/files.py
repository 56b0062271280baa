"""The files of a stack's logs, with those that were rotated away."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROTATED: Final = re.compile(r"(?P<part>.+)\.log(?:\.(?P<age>\d+))?")


def parts_with_logs(folder: Path) -> list[str]:
    """Return the names of all parts that have written."""
    return sorted(path.stem for path in folder.glob("*.log"))


def all_files(folder: Path) -> list[tuple[str, Path]]:
    """Return every log file with its part, each part's oldest first."""
    matches = [(ROTATED.fullmatch(path.name), path) for path in folder.iterdir()]
    found = [(match["part"], -int(match["age"] or 0), path) for match, path in matches if match]
    return [(part, path) for part, _, path in sorted(found)]


def lines_of(path: Path) -> Iterator[str]:
    """Read a file line by line; one that is rotated away meanwhile ends early."""
    try:
        with path.open(errors="replace") as file:
            for line in file:
                yield line.rstrip("\n")
    except FileNotFoundError:
        return
