"""Postgres: keeps the jobs. It refuses to run as root, so root starts it as the system user `postgres`."""

import os

import psycopg2

from stack.context import LOOPBACK, OWNER, Context
from stack.parts.part import NotReadyError, Part
from stack.parts.probing import PROBE_TIMEOUT_S
from stack.postgres_cluster import SYSTEM_USER, create_cluster, postgres_binary, render_configuration

SUPERUSER = "postgres"


def postgres(context: Context) -> Part:
    """Render Postgres' configuration and describe how it runs."""
    home = render_configuration(context)
    port = context.settings.postgres_port

    def probe() -> str:
        dsn = f"postgresql://{SUPERUSER}:{context.credentials.postgres}@{LOOPBACK}:{port}/postgres"
        try:
            psycopg2.connect(dsn, connect_timeout=int(PROBE_TIMEOUT_S)).close()
        except psycopg2.OperationalError as error:
            raise NotReadyError(str(error).strip()) from error
        return f"{LOOPBACK}:{port}, database celery_db, user {OWNER}"

    return Part(
        name="postgres",
        command=(
            str(postgres_binary("postgres")),
            "-D",
            str(home / "data"),
            "-c",
            f"config_file={home / 'postgresql.conf'}",
        ),
        probe=probe,
        ports={"postgres_port": port},
        watched=(home / "postgresql.conf", home / "pg_hba.conf"),
        user=SYSTEM_USER if os.geteuid() == 0 else None,
        stop_signal="INT",
        prepare=lambda: create_cluster(context),
    )
