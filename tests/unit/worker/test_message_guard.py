"""Only wake-ups and ticks of ours pass, rebuilt; everything else is refused without being followed."""

import base64
import json
from typing import Any

import pytest
from inference_worker.message_guard import MessageRefusedError, checked_envelope, nothing, one_task_id

TASK_ID = "6a1f6a3e-52a1-4f0e-9a57-2f6f6f0f7a11"
QUEUE = "predictions"
TASKS = {"wake": one_task_id, "tick": nothing}


def body(*parts: object) -> str:
    return base64.b64encode(json.dumps(parts).encode()).decode()


def envelope(**changes: Any) -> dict[str, Any]:
    return {
        "body": body([TASK_ID], {}, {}),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": "wake", "id": "celery-1"},
        "properties": {"body_encoding": "base64", "correlation_id": "request-1"},
        **changes,
    }


def test_wake_up_passes_with_its_request_id() -> None:
    checked = checked_envelope(envelope(), QUEUE, TASKS)

    assert json.loads(base64.b64decode(checked["body"]))[0] == [TASK_ID]
    assert checked["headers"]["task"] == "wake"
    assert checked["properties"]["correlation_id"] == "request-1"
    assert checked["properties"]["delivery_info"]["routing_key"] == QUEUE


def test_what_celery_would_follow_is_left_out() -> None:
    headers = {"task": "wake", "id": "celery-1", "eta": "2999-01-01", "retries": 7, "compression": "zlib"}
    embed = {"callbacks": [{"task": "tick"}], "chain": [{"task": "tick"}]}

    checked = checked_envelope(envelope(headers=headers, body=body([TASK_ID], {}, embed)), QUEUE, TASKS)

    assert checked["headers"]["eta"] is None
    assert checked["headers"]["retries"] == 0
    assert "compression" not in checked["headers"]
    assert not any(json.loads(base64.b64decode(checked["body"]))[2].values())


def test_copies_get_delivery_tags_of_their_own() -> None:
    tags = {checked_envelope(envelope(), QUEUE, TASKS)["properties"]["delivery_tag"] for _ in range(2)}

    assert len(tags) == 2


def test_message_that_redis_hands_out_again_passes_again() -> None:
    first = checked_envelope(envelope(), QUEUE, TASKS)
    first["headers"]["redelivered"] = True

    again = checked_envelope(first, QUEUE, TASKS)

    assert again["body"] == first["body"]
    assert again["headers"]["id"] == "celery-1"


def test_tick_may_expire() -> None:
    headers = {"task": "tick", "id": "celery-1", "expires": "2026-01-01T00:00:00+00:00"}

    checked = checked_envelope(envelope(headers=headers, body=body([], {}, {})), QUEUE, TASKS)

    assert checked["headers"]["expires"] == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(None, id="null"),
        pytest.param([1], id="list"),
        pytest.param({}, id="empty"),
        pytest.param(envelope(headers=None), id="no headers"),
        pytest.param(envelope(properties=[]), id="no properties"),
        pytest.param(envelope(headers={"task": "wake"}), id="no id"),
        pytest.param(envelope(headers={"task": "wake", "id": "a b\n"}), id="strange id"),
        pytest.param(envelope(headers={"task": "os.system", "id": "1"}), id="unknown task"),
        pytest.param(envelope(headers={"task": ["wake"], "id": "1"}), id="task is no text"),
        pytest.param(
            envelope(headers={"task": "wake", "id": "1", "expires": "soon"}), id="expiry is no time"
        ),
        pytest.param(envelope(**{"content-type": "application/x-python-serialize"}), id="pickle"),
        pytest.param(envelope(**{"content-encoding": "binary"}), id="binary"),
        pytest.param(envelope(properties={"body_encoding": None}), id="body not in base64"),
        pytest.param(envelope(body="!!!"), id="body no base64"),
        pytest.param(envelope(body=base64.b64encode(b"\x80\x04").decode()), id="body no UTF-8"),
        pytest.param(envelope(body=base64.b64encode(b"[" * 6000).decode()), id="deep nesting"),
        pytest.param(envelope(body="A" * 10_000_000), id="10 MB"),
        pytest.param(envelope(body=body([TASK_ID], {})), id="two parts"),
        pytest.param(envelope(body=body("ab", {}, {})), id="arguments are text"),
        pytest.param(envelope(body=body([TASK_ID], {"task_id": 1}, {})), id="keyword arguments"),
        pytest.param(envelope(body=body([], {}, {})), id="no task id"),
        pytest.param(envelope(body=body([7], {}, {})), id="task id is a number"),
        pytest.param(envelope(body=body(["x' OR 1=1"], {}, {})), id="task id is no UUID"),
        pytest.param(envelope(headers={"task": "tick", "id": "1"}), id="tick with arguments"),
    ],
)
def test_rubbish_is_refused(raw: object) -> None:
    with pytest.raises(MessageRefusedError):
        checked_envelope(raw, QUEUE, TASKS)
