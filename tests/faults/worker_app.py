"""The worker's own wiring with the pure model's backend beside the real one, and a shorter time limit."""

import os

from inference_worker.celery_app import BACKENDS, create_app
from inference_worker.settings import read_settings

from tests.faults import pure_model
from tests.faults.limits import TASK_SOFT_TIME_LIMIT_S, TASK_TIME_LIMIT_S

LIMITS = {
    "TASK_TIME_LIMIT_S": str(TASK_TIME_LIMIT_S),
    "TASK_SOFT_TIME_LIMIT_S": str(TASK_SOFT_TIME_LIMIT_S),
}

app = create_app(
    read_settings(os.environ | LIMITS), {**BACKENDS, pure_model.BACKEND: lambda: pure_model.load}
)
