"""Runs the migrations as the owner of the schema, whose DSN is in DATABASE_URL and in no file."""

import os
import sys

import psycopg2
from alembic import context
from sqlalchemy import create_engine, pool, text

CONNECT_TIMEOUT_S = 5
LOCK_TIMEOUT = "5s"
ONE_AT_A_TIME = 7_203_411
"""Advisory lock of this schema: two launchers that migrate at once take turns."""


def _dsn() -> str:
    dsn = os.environ.get("DATABASE_URL")
    if not dsn:
        sys.exit("DATABASE_URL is not set: give the DSN of the schema's owner, postgresql://...")
    return dsn


def _migrate() -> None:
    # libpq reads the DSN itself: SQLAlchemy never parses, keeps or prints the password.
    engine = create_engine(
        "postgresql+psycopg2://",
        creator=lambda: psycopg2.connect(_dsn(), connect_timeout=CONNECT_TIMEOUT_S),
        poolclass=pool.NullPool,
    )
    with engine.connect() as connection, connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
        connection.execute(text("SELECT set_config('lock_timeout', :wait, true)"), {"wait": LOCK_TIMEOUT})
        context.configure(connection=connection, transaction_per_migration=False)
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    sys.exit("migrations run against a live database only")
_migrate()
