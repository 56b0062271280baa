"""Flower: a page about Celery's workers and tasks, behind a password, that only looks."""

import sys

from stack.context import LOOPBACK, Context
from stack.parts.part import Part
from stack.parts.probing import http_ok
from stack.settings import ROOT

USER = "flower"
TASKS_KEPT = 2000
WORKERS_FORGOTTEN_S = 3600
SOURCES = (
    ROOT / "worker" / "inference_worker" / "flower_app.py",
    ROOT / "worker" / "inference_worker" / "celery_settings.py",
    ROOT / "requirements" / "app.txt",
)


def flower(context: Context) -> Part:
    """Describe how Flower runs; it keeps all in memory. Its metrics need no password, and hold no task."""
    port = context.settings.flower_port

    def probe() -> str:
        http_ok(f"http://{LOOPBACK}:{port}/healthcheck")
        return f"http://localhost:{port}, user {USER}"

    return Part(
        name="flower",
        command=(sys.executable, "-m", "celery", "--quiet", "--app=inference_worker.flower_app", "flower"),
        probe=probe,
        ports={"flower_port": port},
        # Not in the command, which every user of the machine can read.
        environment={
            "PYTHONPATH": ":".join((str(ROOT / "contract"), str(ROOT / "worker"))),
            "BROKER_URL": context.broker_url,
            "FLOWER_BASIC_AUTH": f"{USER}:{context.credentials.flower}",
            "FLOWER_ADDRESS": LOOPBACK,
            "FLOWER_PORT": str(port),
            # Workers send events by themselves, and refuse to be steered: pages need not offer it.
            "FLOWER_ENABLE_EVENTS": "false",
            "FLOWER_READ_ONLY": "true",
            "FLOWER_MAX_TASKS": str(TASKS_KEPT),
            "FLOWER_PURGE_OFFLINE_WORKERS": str(WORKERS_FORGOTTEN_S),
        },
        watched=SOURCES,
    )
