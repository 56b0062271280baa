"""One warm connection to Postgres whose every wait has an end on this side too.

`statement_timeout` alone does not help against a server that has stopped answering; so the connection is
asynchronous, and each statement is waited for with a deadline.
"""

import select
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg2
from psycopg2 import extensions

from inference_api.errors import DatabaseUnavailableError

BUDGET_S: Final = 2.0
"""For one statement, with connecting, and with replacing a dead connection once."""
STATEMENT_TIMEOUT_MS: Final = 1800
"""The server's own limit comes first: what it has cancelled cannot be committed after we gave up."""

type Row = tuple[Any, ...]
type Parameters = Sequence[object] | Mapping[str, object]


class Database:
    """Runs single statements, each its own transaction; opens on first use and stays open while warm."""

    def __init__(self, url: str, application_name: str) -> None:
        self._url = url
        self._application_name = application_name
        self._connection: extensions.connection | None = None

    def rows(self, statement: str, parameters: Parameters = (), *, budget_s: float = BUDGET_S) -> list[Row]:
        """Run a statement and give its rows (none where it returns none).

        A statement may run twice when the connection dies under it: it has to allow that.

        Raises:
            DatabaseUnavailableError: no answer within `budget_s` seconds.
        """
        deadline = time.monotonic() + budget_s
        return self._attempt(statement, parameters, deadline, replace=self._connection is not None)

    def wait_for_notices(self, timeout_s: float) -> list[str]:
        """Give the payloads of the notices that arrive next, none when none comes within `timeout_s`.

        A connection that dies meanwhile ends the wait: the next statement replaces it.
        """
        if self._connection is None:
            return []
        try:
            if not self._connection.notifies and select.select([self._connection], [], [], timeout_s)[0]:
                self._connection.poll()
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            self.close()
            return []
        payloads = [notice.payload for notice in self._connection.notifies]
        self._connection.notifies.clear()
        return payloads

    def close(self) -> None:
        """Drop the connection; the next statement opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _attempt(
        self, statement: str, parameters: Parameters, deadline: float, *, replace: bool
    ) -> list[Row]:
        try:
            return self._run(statement, parameters, deadline)
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            self.close()
            if isinstance(error, psycopg2.errors.QueryCanceled) or not replace:
                raise DatabaseUnavailableError from error
        except TimeoutError as error:
            self.close()
            raise DatabaseUnavailableError from error
        return self._attempt(statement, parameters, deadline, replace=False)

    def _run(self, statement: str, parameters: Parameters, deadline: float) -> list[Row]:
        connection = self._opened(deadline)
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            _wait(connection, deadline)
            return cursor.fetchall() if cursor.description else []

    def _opened(self, deadline: float) -> extensions.connection:
        if self._connection is None:
            self._connection = psycopg2.connect(
                self._url,
                application_name=self._application_name,
                options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
                async_=True,
            )
            _wait(self._connection, deadline)
        return self._connection


def _wait(connection: extensions.connection, deadline: float) -> None:
    while (state := connection.poll()) != extensions.POLL_OK:
        readers = [connection] if state == extensions.POLL_READ else []
        writers = [connection] if state == extensions.POLL_WRITE else []
        left_s = max(0.0, deadline - time.monotonic())
        if not any(select.select(readers, writers, [], left_s)):
            raise TimeoutError("Postgres did not answer in time")
