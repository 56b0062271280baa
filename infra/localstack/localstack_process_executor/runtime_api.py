"""AWS's Lambda Runtime API (2018-06-01), served on a port of its own to one function alone.

A thread for each connection, kept alive: the runtime client holds one, so that a warm invocation is two small
messages over a socket that is already open.
"""

import json
import logging
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from queue import SimpleQueue
from threading import Lock, Thread

import h11

from localstack_process_executor.events import (
    Event,
    Failed,
    InitFailed,
    Invocation,
    Ready,
    Responded,
    TooLarge,
)
from localstack_process_executor.peer import owner_of_peer

LOG = logging.getLogger(__name__)

# AWS's limit of a synchronous answer: 6 MB and some room for its envelope.
AWS_RESPONSE_LIMIT_BYTES = 6 * 1024 * 1024 + 100
# The runtime client puts a stack trace of up to 1 MiB in a header.
MAX_HEADER_BYTES = 4 * 1024 * 1024
READ_BYTES = 1 << 18
ERROR_TYPE_HEADER = b"lambda-runtime-function-error-type"
INVOCATION_PATH = re.compile(r"/2018-06-01/runtime/invocation/([^/]+)/(response|error)")
JSON_HEADERS = [("Content-Type", "application/json")]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the Runtime API answers to one request."""

    status: HTTPStatus
    body: bytes
    headers: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Received:
    method: str
    path: str
    headers: dict[bytes, bytes]
    body: bytes
    too_large: bool


class RuntimeApi:
    """One function's Runtime API; events go to the callback, invocations come by `offer`."""

    def __init__(
        self,
        on_event: Callable[[Event], None],
        allowed_uid: int | None = None,
        response_limit_bytes: int = AWS_RESPONSE_LIMIT_BYTES,
    ) -> None:
        self._on_event = on_event
        self._allowed_uid = allowed_uid
        self._response_limit_bytes = response_limit_bytes
        self._pending: SimpleQueue[Invocation | None] = SimpleQueue()
        self._current: Invocation | None = None
        self._ready = False
        self._closed = False
        self._connections: set[socket.socket] = set()
        self._lock = Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self._listener.getsockname())
        Thread(target=self._accept, name=f"runtime-api-{self.address}", daemon=True).start()

    def offer(self, invocation: Invocation) -> None:
        """Hand the next invocation to the runtime, which asks for it or will."""
        self._pending.put(invocation)

    def has_taken(self, invocation: Invocation) -> bool:
        """Whether the runtime has received this invocation, so that it may have had an effect."""
        return self._current is invocation

    def close(self) -> None:
        """End the server and every connection; the runtime's wait for an event ends too."""
        with self._lock:
            self._closed = True
            open_sockets = [self._listener, *self._connections]
        self._pending.put(None)
        for open_socket in open_sockets:
            _shut(open_socket)
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, peer = self._listener.accept()
            except OSError:
                return
            if self._allowed_uid is not None and owner_of_peer(peer, self._listener) != self._allowed_uid:
                LOG.warning("refused a Runtime API connection that is not of the function's own user")
                connection.close()
                continue
            Thread(target=self._serve, args=(connection,), name=f"runtime-api-{peer[1]}", daemon=True).start()

    @contextmanager
    def _registered(self, connection: socket.socket) -> Iterator[None]:
        with self._lock:
            self._connections.add(connection)
            closed = self._closed
        try:
            if closed:
                _shut(connection)
            yield
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEADER_BYTES)
        with self._registered(connection):
            try:
                while (request := self._read(connection, protocol)) is not None:
                    answer = self._answer(request)
                    if answer is None:
                        return
                    _write(connection, protocol, answer)
                    if protocol.our_state is not h11.DONE or protocol.their_state is not h11.DONE:
                        return
                    protocol.start_next_cycle()
            except (OSError, h11.ProtocolError) as error:
                if not self._closed:
                    LOG.debug("a Runtime API connection ended: %r", error)

    def _read(self, connection: socket.socket, protocol: h11.Connection) -> _Received | None:
        request: h11.Request | None = None
        body, size = [], 0
        while True:
            event = protocol.next_event()
            if event is h11.NEED_DATA:
                if protocol.they_are_waiting_for_100_continue:
                    going_on = h11.InformationalResponse(status_code=HTTPStatus.CONTINUE, headers=[])
                    connection.sendall(protocol.send(going_on) or b"")
                protocol.receive_data(connection.recv(READ_BYTES))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                size += len(event.data)
                if size <= self._response_limit_bytes:
                    body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                too_large = size > self._response_limit_bytes
                target = request.target.decode("ascii", "replace").partition("?")[0]
                headers = dict(request.headers)
                return _Received(request.method.decode("ascii"), target, headers, b"".join(body), too_large)
            else:
                return None

    def _answer(self, request: _Received) -> Answer | None:
        match request.method, request.path:
            case "GET", "/2018-06-01/runtime/invocation/next":
                return self._next()
            case "POST", "/2018-06-01/runtime/init/error":
                return self._init_error(request)
            case "POST", path if matched := INVOCATION_PATH.fullmatch(path):
                return self._invocation_end(request, matched[1], matched[2])
        return _refusal(
            HTTPStatus.NOT_FOUND, "InvalidRequest", f"{request.method} {request.path} is not served"
        )

    def _next(self) -> Answer | None:
        if self._current is not None:
            return _refusal(
                HTTPStatus.FORBIDDEN, "InvalidStateTransition", "An invocation is not answered yet"
            )
        if not self._ready:
            self._ready = True
            self._on_event(Ready())
        invocation = self._pending.get()
        if invocation is None:
            # For whichever other connection waits as well.
            self._pending.put(None)
            return None
        self._current = invocation
        return Answer(HTTPStatus.OK, invocation.payload, JSON_HEADERS + _context_headers(invocation))

    def _init_error(self, request: _Received) -> Answer:
        if self._ready:
            return _refusal(HTTPStatus.FORBIDDEN, "InvalidStateTransition", "The init phase is over")
        self._on_event(InitFailed(request.body, _error_type(request)))
        return _accepted()

    def _invocation_end(self, request: _Received, request_id: str, kind: str) -> Answer:
        with self._lock:
            current = self._current
            if current is None or current.request_id != request_id:
                return _refusal(HTTPStatus.BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
            self._current = None
        if request.too_large:
            self._on_event(TooLarge(request_id))
            text = f"Exceeded maximum allowed payload size ({self._response_limit_bytes} bytes)."
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestEntityTooLarge", text)
        if kind == "error":
            self._on_event(Failed(request_id, request.body, _error_type(request)))
        else:
            self._on_event(Responded(request_id, request.body))
        return _accepted()


def _shut(open_socket: socket.socket) -> None:
    try:
        open_socket.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        # Closed from the other side already: that is what was wanted.
        LOG.debug("socket was closed already: %r", error)


def _write(connection: socket.socket, protocol: h11.Connection, answer: Answer) -> None:
    headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
    head = protocol.send(h11.Response(status_code=answer.status, headers=headers)) or b""
    body = protocol.send(h11.Data(data=answer.body)) or b""
    connection.sendall(head + body + (protocol.send(h11.EndOfMessage()) or b""))


def _context_headers(invocation: Invocation) -> list[tuple[str, str]]:
    optional = {
        "Lambda-Runtime-Trace-Id": invocation.trace_id,
        "Lambda-Runtime-Client-Context": invocation.client_context,
        "Lambda-Runtime-Cognito-Identity": invocation.cognito_identity,
    }
    return [
        ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
        ("Lambda-Runtime-Deadline-Ms", str(invocation.deadline_epoch_ms)),
        ("Lambda-Runtime-Invoked-Function-Arn", invocation.invoked_arn),
        *((name, text) for name, text in optional.items() if text),
    ]


def _accepted() -> Answer:
    return Answer(HTTPStatus.ACCEPTED, b'{"status":"OK"}', JSON_HEADERS)


def _refusal(status: HTTPStatus, error_type: str, message: str) -> Answer:
    return Answer(
        status, json.dumps({"errorMessage": message, "errorType": error_type}).encode(), JSON_HEADERS
    )


def _error_type(request: _Received) -> str:
    """The type from AWS's header, else from the body, which a custom runtime may send alone."""
    if header := request.headers.get(ERROR_TYPE_HEADER):
        return header.decode("latin-1")
    try:
        body = json.loads(request.body)
    except ValueError:
        return "Runtime.Unknown"
    return str(body.get("errorType") or "Runtime.Unknown") if isinstance(body, dict) else "Runtime.Unknown"
