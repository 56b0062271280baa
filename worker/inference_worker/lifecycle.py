"""Ties what each process needs to Celery's signals: logging, model libraries, limits."""

import logging
import os
import resource
from collections.abc import Callable
from typing import Final

from celery.signals import setup_logging, worker_init, worker_process_init

from inference_worker import json_logs
from inference_worker.settings import Settings

logger = logging.getLogger(__name__)

BYTES_PER_MIB: Final = 1024 * 1024
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


def connect_metrics(open_and_serve: Callable[[], None], let_go: Callable[[], None]) -> None:
    """Begin to measure in a worker alone, before its pool forks; a failure costs numbers and no job."""

    def on_worker_init(**_: object) -> None:
        try:
            open_and_serve()
        except Exception:
            logger.exception("nothing is measured")

    def on_process_init(**_: object) -> None:
        let_go()

    worker_init.connect(on_worker_init, weak=False)
    worker_process_init.connect(on_process_init, weak=False)


def connect_memory_limit(limit_mb: int) -> None:
    """Bound each child's own data: what a model asks beyond that raises MemoryError in its batch."""
    limit = limit_mb * BYTES_PER_MIB

    def on_process_init(**_: object) -> None:
        # Not RLIMIT_AS: libraries reserve address space that they never use.
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    worker_process_init.connect(on_process_init, weak=False)
