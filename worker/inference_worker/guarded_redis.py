"""Celery's Redis transport behind the message guard; named in `broker_transport` of celery_settings."""

import logging
from collections.abc import Callable
from itertools import count
from queue import Empty
from typing import Any, Final

from inference_contract.names import TASK_RUN_PREDICTION
from kombu.transport import redis, virtual

from inference_worker.control_guard import checked_question
from inference_worker.message_guard import (
    CheckArguments,
    MessageRefusedError,
    checked_envelope,
    nothing,
    one_task_id,
)
from inference_worker.task_names import TASK_EXPIRE, TASK_SWEEP

logger = logging.getLogger(__name__)

TASKS: Final[dict[str, CheckArguments]] = {
    TASK_RUN_PREDICTION: one_task_id,
    TASK_SWEEP: nothing,
    TASK_EXPIRE: nothing,
}

RUBBISH: Final = (
    MessageRefusedError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
"""What reading rubbish raises in kombu; a connection's errors are not among them."""


class QoS(redis.QoS):  # type: ignore[misc] # kombu has no types
    """Gives a message's slot free also where Redis was gone before it could be acknowledged.

    Celery logs such an error and goes on. With all slots taken, kombu reads nothing any more, not even that
    the connection is lost: the worker lives and is deaf. What stays unacknowledged comes again, as a no-op.
    """

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge; raises what the connection raises."""
        try:
            super().ack(delivery_tag)
        except BaseException:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):  # type: ignore[misc] # kombu has no types
    """Pops as kombu does, and drops what cannot be read or is refused."""

    QoS = QoS
    refused = count(1)
    report: Callable[[], None] = staticmethod(lambda: None)
    """Set by the entry file, as kombu makes the channels."""
    _kept_client: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 (kombu's own signature)
        """Make one client a connection pool: kombu makes one a command, a third of the parent's time."""
        if asynchronous:
            return super()._create_client(asynchronous=True)
        if self._kept_client is None or self._kept_client.connection_pool is not self.pool:
            self._kept_client = super()._create_client()
        return self._kept_client

    def close(self) -> None:
        """Close in one go, also where a pending read finds the connection lost.

        Celery would close it once more, when the transport knows no address any more: that ends the worker.
        """
        try:
            super().close()
        finally:
            if not self.closed:
                super().close()

    def _brpop_read(self, **options: Any) -> bool:  # noqa: ANN401 (kombu's own signature)
        try:
            return bool(super()._brpop_read(**options))
        except RUBBISH as error:
            self._refuse(error)
            raise Empty from error

    def _receive_one(self, c: Any) -> bool | None:  # noqa: ANN401 (kombu's own signature)
        try:
            return bool(super()._receive_one(c))
        except RUBBISH as error:
            self._refuse(error)
            raise Empty from error

    def _deliver_fanout_message(self, message: object, exchange: str) -> bool:
        """Hand a question on, past the check of wake-ups."""
        question = checked_question(message)
        redis.Transport._deliver(self.connection, question, self._fanout_to_queue[exchange])  # noqa: SLF001 - kombu's own
        return True

    def _refuse(self, error: Exception) -> None:
        reason = str(error) if isinstance(error, MessageRefusedError) else type(error).__name__
        logger.warning("message refused", extra={"reason": reason, "refused_total": next(self.refused)})
        self.report()


class Transport(redis.Transport):  # type: ignore[misc] # kombu has no types
    """Checks each message between Redis and Celery."""

    Channel = Channel

    def _deliver(self, message: object, queue: str) -> None:
        super()._deliver(checked_envelope(message, queue, TASKS), queue)
