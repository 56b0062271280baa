"""Entry file of Flower: `celery -A inference_worker.flower_app flower`, and of `celery ... inspect`.

It knows the broker and nothing else: no database, no model and no task. It reads what workers answer, which
their own transport would refuse.
"""

import os
import sys
from functools import cache
from typing import Any, Final

from celery import Celery

from inference_worker.celery_settings import CONNECT_TIMEOUT_S, HEALTH_CHECK_EVERY_S, SOCKET_TIMEOUT_S

SETTINGS: Final[dict[str, Any]] = {
    "accept_content": ["json"],
    "task_serializer": "json",
    "broker_connection_max_retries": None,
    "broker_connection_retry_on_startup": True,
    "broker_transport_options": {
        "socket_timeout": SOCKET_TIMEOUT_S,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "health_check_interval": HEALTH_CHECK_EVERY_S,
    },
}


@cache
def _app() -> Celery:
    broker_url = os.environ.get("BROKER_URL")
    if not broker_url:
        sys.exit("flower: BROKER_URL is not set")
    app = Celery("watching", broker=broker_url, set_as_current=True)
    app.conf.update(SETTINGS)
    return app


def __getattr__(name: str) -> Celery:
    """Make `app` when Celery looks for it."""
    if name == "app":
        return _app()
    raise AttributeError(name)
