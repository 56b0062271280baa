"""One task's way through all parts: each entry with its id, or with the id of the request that brought it."""

import uuid
from collections.abc import Iterable
from pathlib import Path

import psycopg2

from stack.context import Context
from stack.errors import StackError
from stack.logs.entries import Entry, entries_of, in_order
from stack.logs.files import all_files, lines_of

REQUEST = "SELECT correlation_id FROM predictions WHERE task_id = %s"
DEADLINE_S = 2
OWN_REQUEST = ("predict", "worker")
"""Whose entries tell the request that brought a task: a lookup of it has another id, its own."""


def checked_id(text: str) -> str:
    """Return a task id as it is written in logs.

    Raises:
        StackError: it is none.
    """
    try:
        return str(uuid.UUID(text.strip()))
    except ValueError as error:
        reason = f"{text!r} is not a task id"
        way_out = "make logs id=..., with the task_id that POST /predict has answered"
        raise StackError("logs", reason, way_out=way_out) from error


def way_of(folder: Path, task_id: str, stored: set[str]) -> list[Entry]:
    """Return a task's entries of all parts, rotated files too, in the order of time.

    Args:
        folder: where the logs are.
        task_id: as logs have it.
        stored: the request's id as the task's row has it, where it could be asked.

    Raises:
        StackError: no part has written about it.
    """
    files = all_files(folder)
    requests = _requests_in(_entries(files, {task_id}), task_id) | stored
    found = [
        entry
        for entry in _entries(files, {task_id} | requests)
        if task_id in entry.text or entry.fields.get("correlation_id") in requests
    ]
    if not found:
        known = "its row is there, so its lines were rotated away" if stored else "there is no row of it"
        reason = f"no part has written about task {task_id}; {known}"
        raise StackError("logs", reason, way_out="check the id; make tasks lists the newest jobs")
    return in_order(found)


def _entries(files: Iterable[tuple[str, Path]], needles: set[str]) -> list[Entry]:
    """Read the lines that hold one of the needles, and what is indented under them."""
    found: list[Entry] = []
    for part, path in files:
        kept: list[str] = []
        follows = False
        for line in lines_of(path):
            follows = any(needle in line for needle in needles) or (follows and line[:1].isspace())
            if follows:
                kept.append(line)
        found += entries_of(part, kept)
    return found


def _requests_in(entries: Iterable[Entry], task_id: str) -> set[str]:
    own = [entry.fields for entry in entries if entry.part in OWN_REQUEST]
    return {
        str(fields["correlation_id"])
        for fields in own
        if fields.get("task_id") == task_id and fields.get("correlation_id")
    }


def stored_request(context: Context, task_id: str) -> set[str]:
    """Ask the task's row for its request; where Postgres is down, the lines themselves will tell."""
    try:
        connection = psycopg2.connect(context.database_url("readonly_user"), connect_timeout=DEADLINE_S)
    except psycopg2.OperationalError:
        return set()
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(REQUEST, (task_id,))
            return {str(request) for (request,) in cursor.fetchall() if request}
    except psycopg2.Error:
        return set()
    finally:
        connection.close()
