"""Lets only well-formed wake-ups and ticks through to Celery, rebuilt from the few fields that matter.

Celery dies of a message that is no JSON, and follows headers (callbacks, ETAs, compression) that no message
of ours carries; so what it gets to see is made here and not in Redis.
"""

import base64
import binascii
import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from inference_contract.errors import InferenceError

JSON_TYPE: Final = "application/json"
BODY_CHARS_MAX: Final = 8192
CORRELATION_CHARS_MAX: Final = 200
CELERY_ID: Final = re.compile(r"[\w.:-]{1,100}", re.ASCII)
EMBED: Final[Mapping[str, None]] = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}

type CheckArguments = Callable[[list[Any]], list[str]]
"""Returns a task's arguments in canonical form; raises `MessageRefusedError`."""


class MessageRefusedError(InferenceError):
    """The message is none of ours."""


def one_task_id(arguments: list[Any]) -> list[str]:
    """Check the arguments of a wake-up: one UUID as text."""
    if len(arguments) != 1 or not isinstance(arguments[0], str):
        raise MessageRefusedError("a wake-up has one task id")
    try:
        return [str(uuid.UUID(arguments[0]))]
    except ValueError as error:
        raise MessageRefusedError("the task id is no UUID") from error


def nothing(arguments: list[Any]) -> list[str]:
    """Check the arguments of a tick: none."""
    if arguments:
        raise MessageRefusedError("a tick has no arguments")
    return []


def checked_envelope(raw: object, queue: str, tasks: Mapping[str, CheckArguments]) -> dict[str, Any]:
    """Rebuild kombu's envelope of a message in `queue` for one of `tasks`; raises `MessageRefusedError`."""
    envelope = mapping(raw, "message")
    if (envelope.get("content-type"), envelope.get("content-encoding")) != (JSON_TYPE, "utf-8"):
        raise MessageRefusedError("only JSON in UTF-8 is taken")
    headers = mapping(envelope.get("headers"), "headers")
    properties = mapping(envelope.get("properties"), "properties")
    name, celery_id = headers.get("task"), headers.get("id")
    if not isinstance(name, str) or name not in tasks:
        raise MessageRefusedError("the task is unknown")
    if not isinstance(celery_id, str) or not CELERY_ID.fullmatch(celery_id):
        raise MessageRefusedError("the message has no id")
    arguments = tasks[name](_arguments(envelope.get("body"), properties.get("body_encoding")))
    return {
        "body": base64.b64encode(json.dumps([arguments, {}, EMBED]).encode()).decode(),
        "content-type": JSON_TYPE,
        "content-encoding": "utf-8",
        "headers": _headers(name, celery_id, headers.get("expires")),
        "properties": _properties(queue, properties.get("correlation_id"), celery_id),
    }


def _arguments(body: object, encoding: object) -> list[Any]:
    if not isinstance(body, str) or len(body) > BODY_CHARS_MAX or encoding != "base64":
        raise MessageRefusedError("the body is no short text in base64")
    try:
        arguments, keywords, _embed = json.loads(base64.b64decode(body, validate=True))
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise MessageRefusedError("the body is no JSON of a task") from error
    if not isinstance(arguments, list) or keywords != {}:
        raise MessageRefusedError("the body has keyword arguments, or no list of arguments")
    return arguments


def _headers(name: str, celery_id: str, expires: object) -> dict[str, Any]:
    return {
        "lang": "py",
        "task": name,
        "id": celery_id,
        "root_id": celery_id,
        "parent_id": None,
        "group": None,
        "retries": 0,
        "eta": None,
        "expires": _time(expires),
        "timelimit": [None, None],
        "ignore_result": True,
    }


def _properties(queue: str, correlation_id: object, celery_id: str) -> dict[str, Any]:
    known = isinstance(correlation_id, str) and len(correlation_id) <= CORRELATION_CHARS_MAX
    return {
        "correlation_id": correlation_id if known else celery_id,
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": queue},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid.uuid4()),
    }


def _time(text: object) -> str | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(str(text)).isoformat()
    except ValueError as error:
        raise MessageRefusedError("the expiry is no time") from error


def mapping(value: object, what: str) -> dict[str, Any]:
    """Expect a JSON object; raises `MessageRefusedError` that names `what`."""
    if not isinstance(value, dict):
        raise MessageRefusedError(f"the {what} is no JSON object")
    return value
