"""Entry file of the command line: DATABASE_URL is the worker's, MAX_ATTEMPTS what a requeued task gets."""

import getpass
import os
import sys
from pathlib import Path
from typing import Final

from inference_worker.database import Database, read_statements
from inference_worker.tasks_cli.commands import create_cli
from inference_worker.tasks_cli.postgres_task_book import PostgresTaskBook

STATEMENTS: Final = Path(__file__).with_name("queries.sql")
STATEMENT_TIMEOUT_MS: Final = 10_000
MAX_ATTEMPTS: Final = "3"
WRONG_USAGE: Final = 2


def open_book() -> PostgresTaskBook:
    """Wire the stored tasks from the environment; the story names the person."""
    dsn = os.environ.get("DATABASE_URL", "")
    attempts = os.environ.get("MAX_ATTEMPTS", MAX_ATTEMPTS)
    if not dsn:
        return _refuse("DATABASE_URL is not set: give the worker's, postgresql://...")
    if not attempts.isdecimal() or int(attempts) < 1:
        return _refuse(f"MAX_ATTEMPTS must be a number above zero, not {attempts!r}")
    database = Database(
        dsn,
        read_statements(STATEMENTS),
        application=f"tasks cli {getpass.getuser()}",
        timeout_ms=STATEMENT_TIMEOUT_MS,
    )
    return PostgresTaskBook(database, int(attempts))


def _refuse(reason: str) -> PostgresTaskBook:
    sys.stderr.write(f"tasks: {reason}\n")
    sys.exit(WRONG_USAGE)


if __name__ == "__main__":
    create_cli(open_book)(prog_name="tasks")
