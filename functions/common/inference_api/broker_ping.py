"""Asks Redis whether it answers; its client is imported on first use, since only `GET /ready` needs it."""

from collections.abc import Callable
from typing import Final

from inference_api.errors import BrokerUnavailableError

BUDGET_S: Final = 0.5


class BrokerPing:
    """A Redis client for one question."""

    def __init__(self, broker_url: str) -> None:
        self._url = broker_url
        self._ask: Callable[[], object] | None = None

    def ping(self) -> None:
        """Return when Redis answers; a connection that has died since the last time is replaced once.

        Raises:
            BrokerUnavailableError: it does not within `BUDGET_S` seconds.
        """
        from redis.exceptions import RedisError  # noqa: PLC0415 - costs more than the rest of the function

        try:
            self._ask = self._ask or _client_ping(self._url)
            self._ask()
        except (RedisError, OSError) as error:
            raise BrokerUnavailableError from error


def _client_ping(url: str) -> Callable[[], object]:
    from redis import Redis  # noqa: PLC0415 - as above
    from redis.backoff import NoBackoff  # noqa: PLC0415 - as above
    from redis.retry import Retry  # noqa: PLC0415 - as above

    once_more = Retry(NoBackoff(), 1)  # type: ignore[no-untyped-call,unused-ignore]  # typed in some versions
    client = Redis.from_url(url, socket_timeout=BUDGET_S, socket_connect_timeout=BUDGET_S, retry=once_more)
    return client.ping
