"""Puts function logs into CloudWatch Logs as they come, each event with its own time."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Protocol

LOG = logging.getLogger(__name__)

# Lines of one burst go together: each call costs LocalStack as much as an invocation.
LINGER_S = 0.4
# CloudWatch takes 10,000 events or 1 MiB in one call; these stay below both.
MAX_EVENTS = 1000
MAX_BYTES = 900_000
EVENT_OVERHEAD_BYTES = 26


@dataclass(frozen=True, slots=True)
class LogStream:
    """Where an environment's lines belong."""

    account: str
    region: str
    group: str
    name: str


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event of a stream."""

    stream: LogStream
    timestamp_ms: int
    message: str


class LogsApi(Protocol):
    """The one call that is made of CloudWatch Logs; group and stream are created when missing."""

    def put(self, stream: LogStream, events: list[LogEvent]) -> None: ...  # noqa: D102 -- the protocol's docstring


class LogWriter:
    """A queue and a thread; a log that cannot be written never fails a function."""

    def __init__(self, api: LogsApi) -> None:
        self._api = api
        self._queue: SimpleQueue[LogEvent | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="lambda-cloudwatch-logs", daemon=True)
        self._thread.start()

    def to(self, stream: LogStream) -> Callable[[list[str]], None]:
        """A sink of lines for one stream."""

        def put(lines: list[str]) -> None:
            now_ms = int(time.time() * 1000)
            for line in lines:
                self._queue.put(LogEvent(stream, now_ms, f"{line}\n"))

        return put

    def close(self, timeout_s: float) -> None:
        """Write what is queued and end."""
        self._queue.put(None)
        self._thread.join(timeout_s)

    def _work(self) -> None:
        ended = False
        while not ended:
            batch = self._next_batch()
            ended = None in batch
            by_stream: defaultdict[LogStream, list[LogEvent]] = defaultdict(list)
            for event in batch:
                if event is not None:
                    by_stream[event.stream].append(event)
            for stream, events in by_stream.items():
                for part in _parts(events):
                    self._put(stream, part)

    def _next_batch(self) -> list[LogEvent | None]:
        batch = [self._queue.get()]
        until_s = time.monotonic() + LINGER_S
        while batch[-1] is not None and len(batch) < MAX_EVENTS:
            try:
                batch.append(self._queue.get(timeout=max(0.0, until_s - time.monotonic())))
            except Empty:
                break
        return batch

    def _put(self, stream: LogStream, events: list[LogEvent]) -> None:
        try:
            self._api.put(stream, events)
        except Exception:  # whatever the client raises, the next lines still have to come through
            LOG.warning("%d log events of %s are lost", len(events), stream.group, exc_info=True)


def _parts(events: list[LogEvent]) -> list[list[LogEvent]]:
    """Split by size; a single event is below the limit already."""
    parts: list[list[LogEvent]] = [[]]
    size = 0
    for event in events:
        event_bytes = len(event.message.encode()) + EVENT_OVERHEAD_BYTES
        if size + event_bytes > MAX_BYTES and parts[-1]:
            parts.append([])
            size = 0
        parts[-1].append(event)
        size += event_bytes
    return parts
