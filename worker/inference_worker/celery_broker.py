"""The queue in Redis through Celery, as the sweeper sees it."""

from dataclasses import dataclass
from typing import Any

import kombu.exceptions
from celery import Celery
from inference_contract.names import QUEUE_PREDICTIONS, TASK_RUN_PREDICTION
from redis.exceptions import RedisError

from inference_worker.errors import SendFailedError
from inference_worker.sweeper import WakeUp

BROKER_ERRORS = (kombu.exceptions.KombuError, RedisError, OSError)


@dataclass(frozen=True, slots=True)
class CeleryBroker:
    """Implements `Broker`."""

    app: Celery

    def waiting(self) -> int:
        """Ask Redis for the length of the queue's list."""
        try:
            with self.app.connection_for_write() as connection, connection.channel() as channel:
                return int(channel.client.llen(QUEUE_PREDICTIONS))
        except BROKER_ERRORS as error:
            raise SendFailedError from error

    def send(self, wake_up: WakeUp) -> None:
        """Send through the pool's connection, once."""
        options: dict[str, Any] = {}
        if wake_up.correlation_id:
            options["correlation_id"] = wake_up.correlation_id
        try:
            self.app.send_task(
                TASK_RUN_PREDICTION, args=(wake_up.task_id,), queue=QUEUE_PREDICTIONS, retry=False, **options
            )
        except BROKER_ERRORS as error:
            raise SendFailedError from error
