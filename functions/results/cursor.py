"""A place in a list as an opaque word that a client hands back; where the next page begins."""

import base64
from datetime import UTC, datetime
from typing import Final

from inference_api.errors import InvalidQueryError
from inference_api.paging import Position
from task_id import TASK_ID

EARLIEST_YEAR: Final = 2000
"""Before any job: keeps times that Postgres and Python count differently out of a query."""


def encode(position: Position) -> str:
    """Write a position down; microseconds and all, so that no job is skipped or shown twice."""
    moment = position.submitted_at.astimezone(UTC).isoformat(timespec="microseconds")
    return base64.urlsafe_b64encode(f"{moment} {position.task_id}".encode()).decode().rstrip("=")


def decode(cursor: str) -> Position:
    """Read a cursor that `encode` wrote.

    Raises:
        InvalidQueryError: it did not write this one.
    """
    position = _position(cursor)
    if position is None or encode(position) != cursor:
        raise InvalidQueryError("`cursor` must be a `next_cursor` as it was given.")
    return position


def _position(cursor: str) -> Position | None:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment = datetime.fromisoformat(text.partition(" ")[0]).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    task_id = text.partition(" ")[2]
    if moment.year < EARLIEST_YEAR or not TASK_ID.fullmatch(task_id):
        return None
    return Position(moment, task_id)
