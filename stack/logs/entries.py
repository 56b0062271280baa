"""Log lines with their times; what a line without one says belongs to the line before."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from stack.logs.times import members, time_of

NO_TIME: Final = datetime.min.replace(tzinfo=UTC)
FUNCTION_LINE: Final = re.compile(r"\S+Z (?:inference-)?(\S+) \| ")
"""How LocalStack's executor begins each line of a function's log."""
FUNCTIONS: Final = "functions"
"""The file in which all functions write; each is shown by its own name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a part wrote: a line, and what followed it without a time of its own."""

    at: datetime
    part: str
    text: str

    @property
    def fields(self) -> dict[str, Any]:
        """The members of a JSON line; none for other lines."""
        return members(self.text.partition("\n")[0])


def entries_of(file: str, lines: Iterable[str], after: datetime = NO_TIME) -> Iterator[Entry]:
    """Join a file's lines to entries, in the order of the file.

    Args:
        file: the part whose file it is.
        lines: without their ends.
        after: the time of lines that come before any that says its own.
    """
    at, texts = after, list[str]()
    for line in lines:
        own = time_of(line)
        if own is not None and texts:
            yield _entry(at, file, texts)
            texts = []
        at = own or at
        texts.append(line)
    if texts:
        yield _entry(at, file, texts)


def _entry(at: datetime, file: str, texts: list[str]) -> Entry:
    """Take the executor's words off a function's line: what is left is what the function wrote."""
    found = FUNCTION_LINE.match(texts[0]) if file == FUNCTIONS else None
    if found is None:
        return Entry(at, file, "\n".join(texts))
    return Entry(at, found[1], "\n".join(text.partition(" | ")[2] or text for text in texts))


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Sort by time; what one part wrote at the same moment stays as it wrote it."""
    return sorted(entries, key=lambda entry: entry.at)
