"""The worker pool and beat: Celery, with the models that the training wrote."""

import sys

import psycopg2

from stack.context import LOOPBACK, Context
from stack.parts.part import NotReadyError, Part
from stack.parts.probing import PROBE_TIMEOUT_S, http_ok
from stack.settings import ROOT

SOURCES = (ROOT / "worker" / "inference_worker", ROOT / "contract", ROOT / "requirements" / "app.txt")
ALIVE = "SELECT count(*) FROM workers WHERE seen_at > now() - interval '15 s'"
STARTUP_DEADLINE_S = 90.0
"""It imports for seconds, and on a busy machine beside fifteen parts that start at once."""
SOFT_STOP_S = 20
"""A little more than the worker gives itself for a stop."""


def worker(context: Context) -> Part:
    """Describe the pool: one process a core's worth of predictions."""
    port = context.settings.worker_metrics_port

    def probe() -> str:
        alive = _count_alive(context)
        if not alive:
            raise NotReadyError("no worker has reported to Postgres yet")
        http_ok(f"http://{LOOPBACK}:{port}/metrics")
        return f"{alive} alive, {context.settings.worker_concurrency} processes, metrics at http://localhost:{port}"

    return Part(
        name="worker",
        command=(
            *_celery(context),
            "worker",
            f"--concurrency={context.settings.worker_concurrency}",
            "--loglevel=INFO",
            "--without-mingle",
            "--without-gossip",
        ),
        probe=probe,
        environment=worker_environment(context)
        | {
            "REMAP_SIGTERM": "SIGQUIT",
            "WORKER_METRICS_PORT": str(port),
            "PROMETHEUS_MULTIPROC_DIR": str(context.paths.state / "worker-metrics"),
        },
        ports={"worker_metrics_port": port},
        watched=(*SOURCES, context.paths.models),
        needs_schema=True,
        stop_wait_s=SOFT_STOP_S,
        startup_deadline_s=STARTUP_DEADLINE_S,
    )


def beat(context: Context) -> Part:
    """Describe beat, which only sends the sweeper's ticks."""
    return Part(
        name="beat",
        command=(
            *_celery(context),
            "beat",
            f"--schedule={context.paths.state / 'beat-schedule'}",
            "--pidfile=",
        ),
        probe=lambda: "sends the sweeper's ticks",
        environment=worker_environment(context),
        watched=SOURCES,
        needs_schema=True,
    )


def worker_environment(context: Context) -> dict[str, str]:
    """Return the environment in which the worker's code runs."""
    folders = (str(ROOT / "contract"), str(ROOT / "worker"), context.settings.worker_pythonpath)
    return {
        "PYTHONPATH": ":".join(filter(None, folders)),
        "DATABASE_URL": context.database_url("worker_user"),
        "BROKER_URL": context.broker_url,
        "MODEL_DIR": str(context.paths.models),
        "LOG_LEVEL": context.settings.log_level,
        "WORKER_MEMORY_LIMIT_MB": str(context.settings.worker_memory_limit_mb),
        "MAX_ATTEMPTS": str(context.settings.max_attempts),
        "RETENTION_DAYS": str(context.settings.retention_days),
    }


def _celery(context: Context) -> tuple[str, ...]:
    return (sys.executable, "-m", "celery", "--quiet", f"--app={context.settings.worker_app}")


def _count_alive(context: Context) -> int:
    try:
        connection = psycopg2.connect(
            context.database_url("readonly_user"), connect_timeout=int(PROBE_TIMEOUT_S)
        )
    except psycopg2.OperationalError as error:
        raise NotReadyError(str(error).strip()) from error
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(ALIVE)
            (alive,) = cursor.fetchone() or (0,)
            return int(alive)
    except psycopg2.Error as error:
        raise NotReadyError(str(error).strip().splitlines()[0]) from error
    finally:
        connection.close()
