"""Log lines as JSON with the fields of the functions' Powertools Logger, so that one query finds both."""

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

STANDARD_ATTRIBUTES: Final = frozenset(
    [*logging.makeLogRecord({}).__dict__, "message", "asctime", "data", "taskName"]
)
QUIET_LOGGERS: Final = ("celery.worker.strategy", "celery.app.trace", "celery.beat")
"""Celery's lines for each task: the worker's own say more, with the job's id."""
_about: ContextVar[dict[str, str]] = ContextVar("about")


@contextmanager
def about(**fields: str | None) -> Iterator[None]:
    """Give every line of the block these members, whoever writes it; a line's own fields go over them."""
    token = _about.set({name: value for name, value in fields.items() if value is not None})
    try:
        yield
    finally:
        _about.reset(token)


class JsonFormatter(logging.Formatter):
    """One JSON object a line; `extra` fields become members of it."""

    def __init__(self, service: str) -> None:
        """Name the service that writes."""
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Write level, place, message, time and service first, then the record's own fields."""
        line: dict[str, Any] = {
            "level": record.levelname,
            "location": f"{record.funcName}:{record.lineno}",
            "message": record.getMessage(),
            "timestamp": self._timestamp(record),
            "service": self._service,
            "logger": record.name,
        }
        line.update(_about.get({}))
        line.update((key, value) for key, value in vars(record).items() if key not in STANDARD_ATTRIBUTES)
        if record.exc_info and record.exc_info[0]:
            line["exception_name"] = record.exc_info[0].__name__
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)

    @staticmethod
    def _timestamp(record: logging.LogRecord) -> str:
        at = time.localtime(record.created)
        return f"{time.strftime('%Y-%m-%d %H:%M:%S', at)},{int(record.msecs):03d}{time.strftime('%z', at)}"


def configure(level: str, service: str) -> None:
    """Send every logger's lines to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
