"""Log files as they grow: each look gives what was written since the one before."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from stack.logs.entries import NO_TIME, Entry, entries_of, in_order
from stack.logs.files import parts_with_logs

TAIL_BYTES: Final = 256 * 1024


@dataclass(slots=True)
class Place:
    """How far a file has been read: `unfinished` is a line whose end is still to come."""

    inode: int
    position: int
    unfinished: bytes = b""
    last_at: datetime = NO_TIME


class Follower:
    """Reads the parts' files, also over a rotation; the first look gives the ends of the files."""

    def __init__(self, folder: Path, part: str | None = None) -> None:
        """Follow one part, or all that ever write."""
        self._folder: Final = folder
        self._part: Final = part
        self._places: Final[dict[str, Place]] = {}
        self._first = True

    def look(self) -> list[Entry]:
        """Return what is new, in the order of time."""
        parts = [self._part] if self._part else parts_with_logs(self._folder)
        found = [entry for part in parts for entry in self._new_of(part)]
        self._first = False
        return in_order(found)

    def _new_of(self, part: str) -> list[Entry]:
        try:
            file = (self._folder / f"{part}.log").open("rb")
        except FileNotFoundError:
            return []
        with file:
            return self._new_in(file, part)

    def _new_in(self, file: BinaryIO, part: str) -> list[Entry]:
        # Of the file that is open: the name may belong to another one by now.
        status = os.fstat(file.fileno())
        place = self._places.get(part)
        lines: list[str] = []
        if place is None:
            place = Place(status.st_ino, max(0, status.st_size - TAIL_BYTES) if self._first else 0)
        elif status.st_ino != place.inode:
            lines = self._rest_of_rotated(part, place)
            place = Place(status.st_ino, 0, last_at=place.last_at)
        elif status.st_size < place.position:
            place = Place(status.st_ino, 0)
        self._places[part] = place
        lines += _read_on(file, place)
        entries = list(entries_of(part, lines, after=place.last_at))
        place.last_at = entries[-1].at if entries else place.last_at
        return entries

    def _rest_of_rotated(self, part: str, place: Place) -> list[str]:
        try:
            rotated = (self._folder / f"{part}.log.1").open("rb")
        except FileNotFoundError:
            return []
        with rotated:
            known = os.fstat(rotated.fileno()).st_ino == place.inode
            return _read_on(rotated, place) if known else []


def _read_on(file: BinaryIO, place: Place) -> list[str]:
    """Read what is new up to the last line that has ended."""
    starts_inside = place.position > 0 and place.last_at == NO_TIME and not place.unfinished
    file.seek(place.position)
    *ended, place.unfinished = (place.unfinished + file.read()).split(b"\n")
    place.position = file.tell()
    lines = [line.decode(errors="replace") for line in ended]
    return lines[1:] if starts_inside else lines
