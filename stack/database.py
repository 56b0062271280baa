"""Roles, database and schema of a stack: brought up to date by every `make up`, forward only."""

import os
import subprocess
import sys
from contextlib import closing

import psycopg2
from psycopg2 import sql

from stack.context import DATABASE, LOOPBACK, OWNER, Context
from stack.errors import StackError
from stack.settings import ROOT

ROLES = (OWNER, "functions_user", "worker_user", "readonly_user", "exporter_user")
WATCHER = "exporter_user"
"""Reads what Postgres says of itself, too; other roles would see each other's statements with it."""
SUPERUSER = "postgres"
MIGRATIONS = ROOT / "infra" / "postgres" / "migrations" / "versions"
"""Files named by their revision: 0001_….py is the first."""


def prepare_database(context: Context) -> None:
    """Create roles and database where they are missing, set the roles' passwords, and migrate.

    Raises:
        StackError: a migration failed; shows its last line.
    """
    _create_roles(context)
    _create_database(context)
    if _schema_revision(context) != _newest_revision():
        _migrate(context)


def _connect(context: Context, database: str) -> psycopg2.extensions.connection:
    connection = psycopg2.connect(
        host=LOOPBACK,
        port=context.settings.postgres_port,
        user=SUPERUSER,
        password=context.credentials.postgres,
        dbname=database,
    )
    connection.autocommit = True
    return connection


def _create_roles(context: Context) -> None:
    connection = _connect(context, "postgres")
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles")
        known = {name for (name,) in cursor.fetchall()}
        for role in ROLES:
            verb = sql.SQL("ALTER" if role in known else "CREATE")
            statement = sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(
                verb, sql.Identifier(role), sql.Literal(getattr(context.credentials, role))
            )
            cursor.execute(statement)
        cursor.execute(sql.SQL("GRANT pg_monitor TO {}").format(sql.Identifier(WATCHER)))
    connection.close()


def _create_database(context: Context) -> None:
    connection = _connect(context, "postgres")
    database = sql.Identifier(DATABASE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
        if cursor.fetchone() is None:
            cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, sql.Identifier(OWNER)))
        cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        for role in ROLES:
            grant = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
            cursor.execute(grant.format(database, sql.Identifier(role)))
    connection.close()


def _newest_revision() -> str:
    return max(path.name.partition("_")[0] for path in MIGRATIONS.glob("*_*.py"))


def _schema_revision(context: Context) -> str | None:
    """Ask the database itself: loading the migration tool takes seconds, mostly for nothing to do."""
    with closing(_connect(context, DATABASE)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('alembic_version')")
        if cursor.fetchone() == (None,):
            return None
        cursor.execute("SELECT version_num FROM alembic_version")
        found = cursor.fetchone()
    return found[0] if found else None


def _migrate(context: Context) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "alembic", "-c", "infra/postgres/alembic.ini", "upgrade", "head"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": context.database_url(OWNER)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    log = context.paths.log_of("migrations")
    log.write_text(result.stdout + result.stderr)
    if result.returncode != 0:
        raise StackError(
            "migrations",
            "the schema could not be brought up to date",
            way_out="correct infra/postgres/migrations, then run make up again",
            log=log,
        )
