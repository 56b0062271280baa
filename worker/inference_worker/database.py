"""One connection to Postgres that opens on first use, and is replaced once, silently, when it is dead."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import psycopg2

from inference_worker.errors import StoreUnavailableError

CONNECT_TIMEOUT_S: Final = 3
UNACKNOWLEDGED_TIMEOUT_MS: Final = 5000
NAME_MARK: Final = "-- name: "


def read_statements(path: Path) -> Mapping[str, str]:
    """Read named statements: each begins at `-- name: <name>` and ends where the next begins."""
    sections = path.read_text(encoding="utf-8").split(f"\n{NAME_MARK}")[1:]
    return {name.strip(): text for name, _, text in (section.partition("\n") for section in sections)}


class Database:
    """Runs named statements, each its own transaction; threads take turns."""

    def __init__(self, dsn: str, statements: Mapping[str, str], *, application: str, timeout_ms: int) -> None:
        """Keep what is needed to connect; nothing is opened yet.

        Args:
            dsn: libpq connection string or URL.
            statements: SQL by name.
            application: what `pg_stat_activity` shows.
            timeout_ms: the longest that one statement may take.
        """
        self._dsn = dsn
        self._statements = statements
        self._options: dict[str, Any] = {
            "application_name": application,
            "options": f"-c statement_timeout={timeout_ms}",
            "connect_timeout": CONNECT_TIMEOUT_S,
            "tcp_user_timeout": UNACKNOWLEDGED_TIMEOUT_MS,
        }
        self._connection: psycopg2.extensions.connection | None = None
        self._turn = threading.Lock()

    def rows(self, statement: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Run a statement that returns rows; raises `StoreUnavailableError` when Postgres gives none.

        Whatever the reason: a table that is missing during an upgrade must not end the thread that asks.
        """
        with self._turn:
            try:
                return self._rows_on_a_live_connection(self._statements[statement], parameters)
            except psycopg2.Error as error:
                raise StoreUnavailableError(f"Postgres did not answer: {type(error).__name__}") from error

    def close(self) -> None:
        """Close the connection; a later statement opens a new one."""
        with self._turn:
            self._discard()

    def _rows_on_a_live_connection(self, sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        kept = self._connection is not None
        try:
            return self._execute(sql, parameters)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            dead = self._connection is not None and self._connection.closed
            if not (kept and dead):
                raise
            self._discard()
            return self._execute(sql, parameters)

    def _execute(self, sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        if self._connection is None:
            self._connection = psycopg2.connect(self._dsn, **self._options)
            self._connection.autocommit = True
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall()

    def _discard(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
