"""Wakes a worker up through Celery, by the task's name alone: no worker code on this side."""

import time
from typing import Any, Final

import celery.app.amqp
import celery.app.events
import celery.events
import celery.loaders.app  # noqa: F401 - Celery would import all these in the first request; init is the place
import kombu.transport.redis  # noqa: F401 - as above
from celery import Celery
from kombu.entity import Queue

from inference_api.errors import BrokerUnavailableError
from inference_contract.names import MESSAGE_CORRELATION_ID, QUEUE_PREDICTIONS, TASK_RUN_PREDICTION

BUDGET_S: Final = 0.5
"""For one wake-up: the row is stored already, and the sweeper sends what is not sent here."""


class _NoResult:
    """Stands where Celery would make an `AsyncResult`, and import backends and canvas for nobody's sake."""

    def __init__(self, _task_id: str) -> None:
        self.ignored = True


class TaskSender:
    """A Celery client that gives up early instead of waiting for a broker.

    It holds its one producer itself: Celery's pools cannot be used again once they were closed by force.
    """

    def __init__(self, broker_url: str) -> None:
        self._producer: Any = None
        # Without the fix-up for Django, which imports Celery's worker to see that there is no Django.
        self._app = Celery("inference_api", broker=broker_url, set_as_current=False, fixups=())
        self._app.conf.update(
            task_queues=[Queue(QUEUE_PREDICTIONS)],
            task_default_queue=QUEUE_PREDICTIONS,
            task_serializer="json",
            accept_content=["json"],
            broker_transport_options={
                "socket_timeout": BUDGET_S,
                "socket_connect_timeout": BUDGET_S,
                "max_retries": 0,
            },
        )

    def send(self, task_id: str, correlation_id: str) -> None:
        """Put one wake-up on the queue; a connection that has died since the last one is replaced once.

        Raises:
            BrokerUnavailableError: the wake-up is not known to be sent; its cause is in the text.
        """
        self._attempt(
            task_id, correlation_id, time.monotonic() + BUDGET_S, replace=self._producer is not None
        )

    def _attempt(self, task_id: str, correlation_id: str, deadline: float, *, replace: bool) -> None:
        try:
            self._publish(task_id, correlation_id)
        except Exception as error:  # the row is committed: whatever sending fails at must not fail the submit
            self._drop()
            if not replace or time.monotonic() >= deadline:
                raise BrokerUnavailableError(f"The broker took no wake-up: {error}") from error
            self._attempt(task_id, correlation_id, deadline, replace=False)

    def _publish(self, task_id: str, correlation_id: str) -> None:
        if self._producer is None:
            self._producer = self._app.amqp.Producer(self._app.connection_for_write(), auto_declare=False)
        self._app.send_task(
            TASK_RUN_PREDICTION,
            args=[task_id],
            task_id=task_id,
            queue=QUEUE_PREDICTIONS,
            ignore_result=True,
            result_cls=_NoResult,
            retry=False,
            producer=self._producer,
            **{MESSAGE_CORRELATION_ID: correlation_id},
        )

    def _drop(self) -> None:
        if self._producer is not None:
            self._producer.connection.collect()
            self._producer = None
