"""What runs beside Celery in the worker's main process: heartbeat, progress watch, and the end of it all."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from celery import Celery, bootsteps
from celery.worker import state
from inference_contract.names import TASK_RUN_PREDICTION

from inference_worker.ending import Ending
from inference_worker.heartbeat import Heartbeat
from inference_worker.progress_watch import ProgressWatch
from inference_worker.task_names import QUEUE_SWEEPS
from inference_worker.worker_pool import WorkerPool

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Companions:
    """All of them, made for one worker."""

    heartbeat: Heartbeat
    watch: ProgressWatch
    ending: Ending

    def start(self) -> None:
        """Begin, after the pool has forked and Celery has set its signal handlers."""
        self.ending.watch_signals()
        self.heartbeat.start()
        self.watch.start()

    def stop(self) -> None:
        """Stop looking, and remove the worker from those that are alive."""
        self.watch.stop()
        self.heartbeat.stop()


def taken() -> int:
    """Count the wake-ups that the pool's processes have accepted."""
    return int(state.total_count[TASK_RUN_PREDICTION])


def add_companions(app: Celery, pool: WorkerPool, make: Callable[[], Companions]) -> None:
    """Start them after the pool has forked, end them with any kind of shutdown."""

    class CompanionsStep(bootsteps.StartStopStep):  # type: ignore[misc] # celery has no types
        """Runs between the pool's start and the worker's stop."""

        requires = ("celery.worker.components:Pool",)

        def __init__(self, parent: Any, **options: Any) -> None:  # noqa: ANN401 (celery's own signature)
            """Name the pool before it forks."""
            super().__init__(parent, **options)
            pool.name, pool.processes = parent.hostname, parent.concurrency
            self.companions = make()

        def start(self, parent: Any) -> None:  # noqa: ANN401 (celery's own signature)
            """Begin; say so when others have to sweep."""
            if QUEUE_SWEEPS not in parent.app.amqp.queues.consume_from:
                logger.warning("this worker takes no sweeps: --queues leaves them out")
            self.companions.start()

        def stop(self, parent: Any) -> None:  # noqa: ANN401, ARG002 (celery's own signature)
            """Stop; the pool finishes what it runs."""
            self.companions.stop()

        def terminate(self, parent: Any) -> None:  # noqa: ANN401, ARG002 (celery's own signature)
            """Stop; the pool has ended, or ends without finishing."""
            self.companions.stop()
            self.companions.ending.hand_over()

    app.steps["worker"].add(CompanionsStep)
