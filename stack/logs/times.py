"""When a log line was written, in whatever way its part writes that."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from dateutil.parser import ParserError, parse

DATE_FIRST: Final = re.compile(
    r"""
    (?:\d+:[A-Z]\ )?        # Redis: process id and role
    (?:ts=|t=|time=|at=)?"? # logfmt: Prometheus and its family, Grafana
    (\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:\ ?(?:Z\b|UTC\b|[+-]\d\d:?\d\d))?
    |\d\d\ [A-Z][a-z]{2}\ \d{4}\ \d\d:\d\d:\d\d\.\d+)
    """,
    re.VERBOSE,
)
TORNADO: Final = re.compile(r"\[[A-Z] (\d{6} \d\d:\d\d:\d\d) ")
"""Flower: `[I 261122 23:46:00 command:168]`."""
GLOG: Final = re.compile(r"[IWEF](\d{4} \d\d:\d\d:\d\d\.\d+) ")
"""mtail: `I1122 23:46:00.123456   1234 main.go:12]`, without a year."""
TOMORROW: Final = timedelta(days=1)


def time_of(line: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> datetime | None:
    """Return when a line was written, aware; None for a line that does not say, such as one of a stack trace.

    A time without a zone is this machine's own: the parts inherit it.
    """
    try:
        return _aware(_read(line, now))
    except (ParserError, OverflowError):
        return None


def _read(line: str, now: Callable[[], datetime]) -> datetime | None:
    if line.startswith("{"):
        return _member(line)
    if found := DATE_FIRST.match(line):
        return parse(found[1])
    if found := TORNADO.match(line):
        return parse(f"20{found[1]}")
    if found := GLOG.match(line):
        return _this_year_or_last(found[1], _aware(now()) or now())
    return None


def _member(line: str) -> datetime | None:
    fields = members(line)
    written = fields.get("timestamp") or fields.get("time")
    if not isinstance(written, str):
        return None
    at = parse(written)
    # Nginx writes a request down when it has ended; in a task's way it stands where the request came in.
    took_s = fields.get("request_time_s")
    return at - timedelta(seconds=took_s) if isinstance(took_s, (int, float)) else at


def members(line: str) -> dict[str, Any]:
    """Return a JSON line's members; none for a line of any other form."""
    if not line.startswith("{"):
        return {}
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _this_year_or_last(month_and_time: str, now: datetime) -> datetime:
    at = parse(f"{now.year}{month_and_time}").astimezone()
    return at if at < now + TOMORROW else parse(f"{now.year - 1}{month_and_time}")


def _aware(at: datetime | None) -> datetime | None:
    return at if at is None or at.tzinfo else at.astimezone()
