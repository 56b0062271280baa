"""`POST /predict` with bad input: a problem document that says what was expected, and nothing stored."""

import base64
import json
import time

import pytest
from inference_contract.names import MAX_BODY_BYTES, MAX_INSTANCES

from tests.unit.functions.gateway import Answer, Predict

ROW = [5.1, 3.5, 1.4, 0.2]
AT_ONCE_S = 2.0
NOT_JSON = {
    "no body": None,
    "empty body": "",
    "blanks": " \n",
    "words": "features",
    "cut off": '{"features": [1',
    "NaN": '{"features": [1, 2, 3, NaN]}',
    "Infinity": '{"features": [1, 2, 3, -Infinity]}',
    "deep lists": '{"features": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "deep objects": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "a name twice": '{"features": [1, 2, 3, 4], "features": [1, 2, 3, 4]}',
    "a name twice within": '{"features": [{"a": 1, "a": 2}]}',
    "byte order mark": "\ufeff" + json.dumps({"features": ROW}),
    "raw control character": '{"model": "a\x00b", "features": [1, 2, 3, 4]}',
    "lone surrogate, raw": '{"model": "\ud800", "features": [1, 2, 3, 4]}',
}
INVALID = {
    "a list": "[1, 2, 3, 4]",
    "a string": '"features"',
    "a number": "4",
    "null": "null",
    "an empty object": "{}",
    "both forms": json.dumps({"features": ROW, "instances": [ROW]}),
    "unknown member": json.dumps({"features": ROW, "feature": 1}),
    "unknown member, surrogate": '{"features": [1, 2, 3, 4], "\\ud800": 1}',
    "features as object": '{"features": {"0": 1}}',
    "features as string": '{"features": "1234"}',
    "features as null": '{"features": null}',
    "no features": '{"features": []}',
    "string in features": '{"features": [1, 2, 3, "4"]}',
    "true in features": '{"features": [1, 2, 3, true]}',
    "null in features": '{"features": [1, 2, 3, null]}',
    "list in features": '{"features": [1, 2, 3, [4]]}',
    "object in features": '{"features": [1, 2, 3, {}]}',
    "1e999": '{"features": [1, 2, 3, 1e999]}',
    "-1e999": '{"features": [1, 2, 3, -1e999]}',
    "integer of thousands of digits": '{"features": [1, 2, 3, ' + "9" * 5000 + "]}",
    "too few": '{"features": [1, 2, 3]}',
    "too many": '{"features": [1, 2, 3, 4, 5]}',
    "instances as row": '{"instances": [1, 2, 3, 4]}',
    "no instances": '{"instances": []}',
    "an empty instance": '{"instances": [[1, 2, 3, 4], []]}',
    "instances as object": '{"instances": {}}',
    "one short instance": '{"instances": [[1, 2, 3, 4], [1, 2, 3]]}',
    "too many instances": json.dumps({"instances": [ROW] * (MAX_INSTANCES + 1)}),
    "model as number": '{"features": [1, 2, 3, 4], "model": 1}',
    "model as null": '{"features": [1, 2, 3, 4], "model": null}',
    "empty model": '{"features": [1, 2, 3, 4], "model": ""}',
    "NUL in model": '{"features": [1, 2, 3, 4], "model": "a\\u0000b"}',
    "surrogate in model": '{"features": [1, 2, 3, 4], "model": "\\ud800"}',
    "path in model": '{"features": [1, 2, 3, 4], "model": "../iris"}',
    "long model": json.dumps({"features": ROW, "model": "m" * 65}),
    "version as number": '{"features": [1, 2, 3, 4], "version": 1}',
}


def assert_problem(answer: Answer, status: int) -> None:
    assert (answer.status, answer.body["status"]) == (status, status)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.body) >= {"type", "title", "status", "detail", "instance", "error"}
    assert answer.body["instance"] == "/predict"
    assert answer.body["error"] == answer.body["detail"] != ""
    assert "Traceback" not in json.dumps(answer.body)
    assert len(json.dumps(answer.body)) < 1000


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_malformed_body_is_400(predict: Predict, body: str | None) -> None:
    assert_problem(predict.post(body), 400)
    assert predict.jobs.stored == []


def test_many_names_and_one_of_them_twice_are_refused_at_once(predict: Predict) -> None:
    names = [str(number) for number in range(20_000)]
    body = "{" + ",".join(f'"{name}":1' for name in [*names, names[-1]]) + "}"
    begun = time.monotonic()
    answer = predict.post(body)
    assert time.monotonic() - begun < AT_ONCE_S
    assert_problem(answer, 400)
    assert "'19999' twice" in answer.body["detail"]


@pytest.mark.parametrize("body", INVALID.values(), ids=INVALID)
def test_invalid_input_is_422(predict: Predict, body: str) -> None:
    assert_problem(predict.post(body), 422)
    assert predict.jobs.stored == []


@pytest.mark.parametrize("body", [b"\xff\xfe", b'{"features": [1, 2, 3, 4], "model": "\xc3"}'])
def test_body_that_is_not_utf8_is_400(predict: Predict, body: bytes) -> None:
    assert_problem(predict.post(base64.b64encode(body).decode(), base64=True), 400)


def test_body_that_is_not_base64_is_400(predict: Predict) -> None:
    assert_problem(predict.post("ü", base64=True), 400)


def test_body_of_the_limit_is_read_and_one_byte_more_is_413(predict: Predict) -> None:
    at_limit = '{"features": [5.1, 3.5, 1.4, 0.2]}'.ljust(MAX_BODY_BYTES)
    assert predict.post(at_limit).status == 202
    assert_problem(predict.post(at_limit + " "), 413)


def test_large_body_in_base64_is_413(predict: Predict) -> None:
    assert_problem(predict.post(base64.b64encode(b" " * (MAX_BODY_BYTES + 1)).decode(), base64=True), 413)
    assert_problem(predict.post("A" * 4 * MAX_BODY_BYTES, base64=True), 413)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "image/png"])
def test_other_content_type_is_415(predict: Predict, content_type: str) -> None:
    answer = predict.post('{"features": [1, 2, 3, 4]}', headers={"Content-Type": content_type})
    assert_problem(answer, 415)


def test_wrong_length_names_the_features_and_the_row(predict: Predict) -> None:
    detail = predict.post('{"instances": [[1, 2, 3, 4], [1]]}').body["detail"]
    assert "instances[1]" in detail
    assert "expects 4: sepal_length, sepal_width, petal_length, petal_width" in detail


def test_other_method_is_405_with_the_allowed_ones(predict: Predict) -> None:
    answer = predict.gateway.call("GET", "/predict")
    assert_problem(answer, 405)
    assert answer.headers["Allow"] == "POST"
