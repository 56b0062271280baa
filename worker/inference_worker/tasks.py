"""The three Celery tasks: a wake-up and the ticks of sweep and retention. Each calls its use case alone."""

import logging
from collections.abc import Callable

from celery import Celery, Task
from inference_contract.names import TASK_RUN_PREDICTION

from inference_worker.errors import StoreUnavailableError
from inference_worker.json_logs import about
from inference_worker.task_names import TASK_EXPIRE, TASK_SWEEP
from inference_worker.time_limit import TimeLimit

logger = logging.getLogger(__name__)


type Use[**P] = Callable[[], Callable[P, int]]
"""Makes a use case, or returns the one that is there."""


def add_tasks(
    app: Celery, limit: TimeLimit, run_prediction: Use[str], sweep: Use[[]], expire: Use[[]]
) -> None:
    """Register all tasks; what Postgres could not answer is logged and left to leases and sweeps."""

    def wake_up(task: Task, task_id: str) -> None:
        with about(task_id=task_id, correlation_id=task.request.correlation_id):
            try:
                with limit():
                    run_prediction()(task_id)
            except StoreUnavailableError:
                logger.exception("store unavailable")

    def tick() -> None:
        try:
            with limit():
                sweep()()
        except StoreUnavailableError:
            logger.exception("sweep failed")

    def expiry_tick() -> None:
        try:
            with limit():
                expire()()
        except StoreUnavailableError:
            logger.exception("expiry failed")

    app.task(name=TASK_RUN_PREDICTION, bind=True)(wake_up)
    app.task(name=TASK_SWEEP)(tick)
    app.task(name=TASK_EXPIRE)(expiry_tick)
