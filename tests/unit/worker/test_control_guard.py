"""Questions pass, rebuilt; commands and rubbish do not."""

import base64
import json
import uuid
from typing import Any

import pytest
from inference_worker.control_guard import QUESTIONS, checked_question
from inference_worker.message_guard import MessageRefusedError

TICKET, MAILBOX = str(uuid.uuid4()), str(uuid.uuid4())


def broadcast(**changes: object) -> dict[str, Any]:
    body = {
        "method": "stats",
        "arguments": {},
        "destination": None,
        "pattern": None,
        "matcher": None,
        "ticket": TICKET,
        "reply_to": {"exchange": "reply.celery.pidbox", "routing_key": MAILBOX},
        **changes,
    }
    return envelope(json.dumps(body))


def envelope(body: str) -> dict[str, Any]:
    return {
        "body": base64.b64encode(body.encode()).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"clock": 7},
        "properties": {"body_encoding": "base64", "delivery_info": {"exchange": "celery.pidbox"}},
    }


def asked(checked: dict[str, Any]) -> dict[str, Any]:
    question: dict[str, Any] = json.loads(base64.b64decode(checked["body"]))
    return question


@pytest.mark.parametrize("method", sorted(QUESTIONS))
def test_question_is_let_through_with_the_address_of_its_answer(method: str) -> None:
    question = asked(checked_question(broadcast(method=method)))

    assert question["method"] == method
    assert question["ticket"] == TICKET
    assert question["reply_to"] == {"exchange": "reply.celery.pidbox", "routing_key": MAILBOX}


@pytest.mark.parametrize(
    "method",
    [
        "shutdown",
        "cancel_consumer",
        "add_consumer",
        "rate_limit",
        "time_limit",
        "revoke",
        "terminate",
        "pool_shrink",
        "pool_restart",
        "disable_events",
        "memdump",
        "election",
        "nothing",
        7,
        None,
        ["stats"],
    ],
)
def test_command_is_refused(method: object) -> None:
    with pytest.raises(MessageRefusedError, match="not steered"):
        checked_question(broadcast(method=method))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reply_to", {"exchange": "predictions", "routing_key": MAILBOX}),
        ("reply_to", {"exchange": "reply.celery.pidbox", "routing_key": "predictions"}),
        ("ticket", "x"),
        ("destination", "celery@host"),
        ("destination", ["(a+)+$"]),
        ("destination", ["a"] * 101),
        ("arguments", [1]),
    ],
)
def test_field_that_is_not_as_it_should_be_is_refused(field: str, value: object) -> None:
    with pytest.raises(MessageRefusedError):
        checked_question(broadcast(**{field: value}))


def test_heartbeat_is_asked_for_without_an_answer() -> None:
    question = asked(checked_question(broadcast(method="heartbeat", reply_to=None, ticket=None)))

    assert (question["reply_to"], question["ticket"]) == (None, None)


def test_pattern_and_unknown_arguments_are_dropped() -> None:
    question = asked(
        checked_question(
            broadcast(method="active", arguments={"safe": True, "x": 1}, pattern="(a+)+$", matcher="regex")
        )
    )

    assert question["arguments"] == {"safe": True}
    assert (question["pattern"], question["matcher"]) == (None, None)


def test_argument_is_yes_or_no() -> None:
    question = asked(checked_question(broadcast(method="conf", arguments={"with_defaults": "x" * 100})))

    assert question["arguments"] == {}


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {},
        {**broadcast(), "content-type": "application/x-python-serialize"},
        {**broadcast(), "properties": {}},
        {**broadcast(), "body": "?"},
        {**broadcast(), "body": "A" * 10_000},
        envelope("[]"),
        envelope("{"),
    ],
)
def test_rubbish_is_refused(raw: object) -> None:
    with pytest.raises((MessageRefusedError, ValueError)):
        checked_question(raw)
