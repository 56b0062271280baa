"""The worker's own wiring with the pure model's backend, shorter limits, and a failpoint if one is named."""

import os
from pathlib import Path

from inference_worker.celery_app import BACKENDS, create_app
from inference_worker.settings import read_settings

from tests.faults import pure_model
from tests.faults.limits import FAILPOINT_FILE, TASK_SOFT_TIME_LIMIT_S, TASK_TIME_LIMIT_S


def _failpoint() -> str:
    """Read where this process shall crash, and forget it: its successor is to go on."""
    named = Path(os.environ["MODEL_DIR"]).with_name(FAILPOINT_FILE)
    try:
        place = named.read_text()
        named.unlink()
    except FileNotFoundError:
        return ""
    return place


SETTINGS = {
    "TASK_TIME_LIMIT_S": str(TASK_TIME_LIMIT_S),
    "TASK_SOFT_TIME_LIMIT_S": str(TASK_SOFT_TIME_LIMIT_S),
    "FAILPOINT": _failpoint(),
}

app = create_app(
    read_settings(os.environ | SETTINGS), {**BACKENDS, pure_model.BACKEND: lambda: pure_model.load}
)
