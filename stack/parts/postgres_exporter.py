"""postgres-exporter: Postgres' state, and the jobs as Postgres counts them, for Prometheus."""

from stack.context import DATABASE, LOOPBACK, Context
from stack.parts.exporting import read_metric
from stack.parts.part import NotReadyError, Part
from stack.rendering import TEMPLATES

QUERIES = TEMPLATES / "prometheus" / "postgres_queries.yml"
ROLE = "exporter_user"
CONNECT_TIMEOUT_S = 2
STATEMENT_TIMEOUT_MS = 2000
"""Half of what a scrape every 5 s can wait for."""


def postgres_exporter(context: Context) -> Part:
    """Describe how the exporter runs; it is well when Postgres answers it and the schema is there."""
    port = context.settings.postgres_exporter_port
    address = f"{LOOPBACK}:{port}"

    def probe() -> str:
        page = f"http://{address}/metrics"
        if not read_metric(page, "pg_up"):
            raise NotReadyError("it runs, but Postgres does not answer it; look at make logs postgres")
        alive = read_metric(page, "inference_workers_alive")
        return f"http://localhost:{port}/metrics, {alive:.0f} workers alive"

    return Part(
        name="postgres-exporter",
        command=(
            "prometheus-postgres-exporter",
            f"--web.listen-address={address}",
            f"--extend.query-path={QUERIES}",
        ),
        probe=probe,
        ports={"postgres_exporter_port": port},
        # Not in the command, which every user of the machine can read.
        environment={
            "DATA_SOURCE_URI": _uri(context),
            "DATA_SOURCE_USER": ROLE,
            "DATA_SOURCE_PASS": context.credentials.exporter_user,
        },
        watched=(QUERIES,),
        needs_schema=True,
    )


def _uri(context: Context) -> str:
    options = f"connect_timeout={CONNECT_TIMEOUT_S}&statement_timeout={STATEMENT_TIMEOUT_MS}"
    server = f"{LOOPBACK}:{context.settings.postgres_port}"
    return f"{server}/{DATABASE}?sslmode=disable&application_name=exporter&{options}"
