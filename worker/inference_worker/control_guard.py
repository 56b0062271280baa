"""Lets only questions through to the worker's remote control, rebuilt from the few fields that matter.

Celery would also take commands: to stop reading a queue, to end, to run nothing. Whoever reaches Redis may
ask how a worker is, and steer nothing (ADR 0002).
"""

import base64
import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from inference_worker.message_guard import JSON_TYPE, MessageRefusedError, mapping

QUESTIONS: Final[Mapping[str, frozenset[str]]] = {
    "active": frozenset({"safe"}),
    "active_queues": frozenset(),
    "conf": frozenset({"with_defaults"}),
    "heartbeat": frozenset(),
    "ping": frozenset(),
    "registered": frozenset(),
    "reserved": frozenset(),
    "revoked": frozenset(),
    "scheduled": frozenset(),
    "stats": frozenset(),
}
"""What may be asked, with the arguments that are passed on: yes, no or nothing."""

REPLY_EXCHANGE: Final = "reply.celery.pidbox"
BODY_CHARS_MAX: Final = 8192
DESTINATIONS_MAX: Final = 100
WORKER_NAME: Final = re.compile(r"[\w.@%-]{1,200}", re.ASCII)


def checked_question(raw: object) -> dict[str, Any]:
    """Rebuild kombu's envelope of a broadcast that asks something; raises `MessageRefusedError`."""
    envelope = mapping(raw, "broadcast")
    if envelope.get("content-type") != JSON_TYPE:
        raise MessageRefusedError("only JSON is taken")
    properties = mapping(envelope.get("properties"), "properties")
    asked = _asked(envelope.get("body"), properties.get("body_encoding"))
    return {
        "body": base64.b64encode(json.dumps(asked).encode()).decode(),
        "content-type": JSON_TYPE,
        "content-encoding": "utf-8",
        "headers": {"clock": 0},
        "properties": {
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": ""},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }


def _asked(body: object, encoding: object) -> dict[str, Any]:
    if not isinstance(body, str) or len(body) > BODY_CHARS_MAX or encoding != "base64":
        raise MessageRefusedError("the body is no short text in base64")
    question = mapping(json.loads(base64.b64decode(body, validate=True)), "body")
    method = question.get("method")
    if not isinstance(method, str) or method not in QUESTIONS:
        raise MessageRefusedError("workers are asked, not steered")
    arguments = mapping(question.get("arguments") or {}, "arguments")
    return {
        "method": method,
        "arguments": {
            name: value
            for name, value in arguments.items()
            if name in QUESTIONS[method] and (value is None or isinstance(value, bool))
        },
        "destination": _destination(question.get("destination")),
        "pattern": None,
        "matcher": None,
        "ticket": None if question.get("ticket") is None else _uuid(question["ticket"]),
        "reply_to": _reply_to(question.get("reply_to")),
    }


def _destination(names: object) -> list[str] | None:
    if names is None:
        return None
    if not isinstance(names, list) or len(names) > DESTINATIONS_MAX:
        raise MessageRefusedError("the destination is no short list")
    if not all(isinstance(name, str) and WORKER_NAME.fullmatch(name) for name in names):
        raise MessageRefusedError("the destination holds no names of workers")
    return names


def _reply_to(address: object) -> dict[str, str] | None:
    """Check that the answer goes to somebody's own mailbox, and into no queue of ours, or nowhere."""
    if address is None:
        return None
    fields = mapping(address, "address of the answer")
    if fields.get("exchange") != REPLY_EXCHANGE:
        raise MessageRefusedError("the answer would go elsewhere")
    return {"exchange": REPLY_EXCHANGE, "routing_key": _uuid(fields.get("routing_key"))}


def _uuid(value: object) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError as error:
        raise MessageRefusedError("the question has no id") from error
