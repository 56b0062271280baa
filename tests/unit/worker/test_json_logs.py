"""A log line is one JSON object with the fields of the functions' logger."""

import json
import logging

import pytest
from inference_worker.json_logs import JsonFormatter, about


def line(**extra: object) -> dict[str, object]:
    record = logging.LogRecord("worker.part", logging.INFO, __file__, 7, "job %s", ("done",), None, "run")
    vars(record).update(extra)
    fields: dict[str, object] = json.loads(JsonFormatter("worker").format(record))
    return fields


def test_line_has_the_common_fields_first() -> None:
    fields = line(task_id="a", correlation_id="b")

    assert list(fields)[:5] == ["level", "location", "message", "timestamp", "service"]
    assert fields["message"] == "job done"
    assert (fields["task_id"], fields["correlation_id"]) == ("a", "b")


def test_exception_is_named_and_kept_on_one_line() -> None:
    with pytest.raises(ValueError, match="no good") as caught:
        raise ValueError("no good")

    record = logging.LogRecord("x", logging.ERROR, __file__, 7, "failed", (), None)
    record.exc_info = (caught.type, caught.value, caught.tb)
    text = JsonFormatter("worker").format(record)

    assert json.loads(text)["exception_name"] == "ValueError"
    assert "\n" not in text


def test_line_in_a_block_says_what_the_block_is_about_and_its_own_fields_win() -> None:
    with about(task_id="woken", correlation_id="order", model=None):
        plain, own = line(), line(task_id="mate")

    assert (plain["task_id"], plain["correlation_id"]) == ("woken", "order")
    assert own["task_id"] == "mate"
    assert "model" not in plain
    assert "task_id" not in line()
