"""Ties the worker's own parts to Celery's start and stop: logging, model libraries, heartbeat."""

import logging
import os
from collections.abc import Callable
from typing import Any, Final

from celery import Celery, bootsteps
from celery.signals import setup_logging, worker_init

from inference_worker import json_logs
from inference_worker.heartbeat import Heartbeat
from inference_worker.settings import Settings
from inference_worker.task_names import QUEUE_SWEEPS

logger = logging.getLogger(__name__)

THREAD_VARIABLES: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def one_numeric_thread() -> None:
    """Keep numeric libraries, not imported yet, to one thread a process: the pool is the parallelism."""
    for name in THREAD_VARIABLES:
        os.environ[name] = "1"


def connect_logging(settings: Settings) -> None:
    """Take logging over from Celery, for its own lines too."""

    def configure(**_: object) -> None:
        json_logs.configure(settings.log_level, settings.service_name)

    setup_logging.connect(configure, weak=False)


def connect_preload(backends: tuple[Callable[[], object], ...]) -> None:
    """Import model libraries in the parent, which saves each new child seconds; models load in the child."""

    def on_worker_init(**_: object) -> None:
        for load_library in backends:
            load_library()

    worker_init.connect(on_worker_init, weak=False)


def add_heartbeat(app: Celery, make: Callable[[str], Heartbeat]) -> None:
    """Beat from the main process, begun after the pool has forked, ended with any kind of shutdown."""

    class HeartbeatStep(bootsteps.StartStopStep):  # type: ignore[misc] # celery has no types
        """Runs the heartbeat between the pool's start and the worker's stop."""

        requires = ("celery.worker.components:Pool",)

        def __init__(self, parent: Any, **options: Any) -> None:  # noqa: ANN401 (celery's own signature)
            """Make the heartbeat of the worker's name."""
            super().__init__(parent, **options)
            self.heartbeat = make(parent.hostname)

        def start(self, parent: Any) -> None:  # noqa: ANN401 (celery's own signature)
            """Begin to beat; say so when others have to sweep."""
            if QUEUE_SWEEPS not in parent.app.amqp.queues.consume_from:
                logger.warning("this worker takes no sweeps: --queues leaves them out")
            self.heartbeat.start()

        def stop(self, parent: Any) -> None:  # noqa: ANN401, ARG002 (celery's own signature)
            """Remove the worker."""
            self.heartbeat.stop()

        def terminate(self, parent: Any) -> None:  # noqa: ANN401, ARG002 (celery's own signature)
            """Remove the worker on a cold shutdown too."""
            self.heartbeat.stop()

    app.steps["worker"].add(HeartbeatStep)
