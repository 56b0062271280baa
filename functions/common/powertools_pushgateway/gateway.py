"""One push, within one deadline.

Over a plain socket: http.client bounds each read and not the whole, and would be imported for this alone.
"""

import re
import socket
import time
from base64 import urlsafe_b64encode
from typing import Final, Protocol
from urllib.parse import urlsplit

from powertools_pushgateway.errors import PushError

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] (\d{3})")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]+")
_SUCCESS: Final = range(200, 300)
MOST_ANSWER_BYTES: Final = 4096
DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Gateway(Protocol):
    """Where a group is kept."""

    def put(self, body: bytes) -> None:
        """Replace the group by `body`.

        Raises:
            PushError: it may or may not have been replaced.
        """


class HttpGateway:
    """The group of one environment in a real Pushgateway.

    Args:
        url: `http://host:9091` or `https://...`, with a path where the gateway has a route prefix.
        job: the function.
        instance: the environment.
        timeout_s: longest that one push takes, a name's resolution apart.

    Raises:
        ValueError: the URL is none.
    """

    def __init__(self, url: str, job: str, instance: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ValueError("the Pushgateway's URL is not of the form http://host:9091")
        self._secure = parts.scheme == "https"
        self._address = (parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme])
        self._path = f"{parts.path.rstrip('/')}{group_path({'job': job, 'instance': instance})}"
        self._host = parts.netloc.rpartition("@")[2]
        self._timeout_s = timeout_s

    def put(self, body: bytes) -> None:
        """Replace the group by `body`.

        Raises:
            PushError: no connection, no answer in time, or not a good one.
        """
        try:
            answer = self._exchange(body)
        except OSError as error:
            raise PushError(f"no answer from the Pushgateway: {error}") from error
        status = _STATUS_LINE.match(answer)
        if status is None or int(status[1]) not in _SUCCESS:
            raise PushError(f"the Pushgateway refused: {answer[:500].decode(errors='replace')!r}")

    def _exchange(self, body: bytes) -> bytes:
        deadline = time.monotonic() + self._timeout_s
        head = (
            f"PUT {self._path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: text/plain; version=0.0.4\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        with self._connected() as connection:
            connection.settimeout(_left(deadline))
            connection.sendall(head.encode() + body)
            answer = b""
            # Whoever has the status line can do without the rest, but wants the reason of a refusal.
            while len(answer) < MOST_ANSWER_BYTES:
                connection.settimeout(_left(deadline))
                part = connection.recv(MOST_ANSWER_BYTES)
                if not part:
                    break
                answer += part
            return answer

    def _connected(self) -> socket.socket:
        plain = socket.create_connection(self._address, timeout=self._timeout_s)
        if not self._secure:
            return plain
        import ssl  # noqa: PLC0415 - 7 ms that a gateway without TLS does not cost

        try:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=self._address[0])
        except BaseException:
            plain.close()
            raise


def group_path(labels: dict[str, str]) -> str:
    """Write a grouping key as the gateway's path; what a path cannot hold goes as base64."""
    path = "/metrics"
    for name, value in labels.items():
        if _PLAIN.fullmatch(value):
            path += f"/{name}/{value}"
        else:
            path += f"/{name}@base64/{urlsafe_b64encode(value.encode()).decode()}"
    return path


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("out of time")
    return left
