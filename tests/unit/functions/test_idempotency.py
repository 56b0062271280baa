"""`Idempotency-Key`: one key is one job of one caller, and holds its submit to what was asked first."""

import json

import pytest

from tests.unit.functions.gateway import Answer, Predict

ASKED = {"features": [1, 2, 3, 4]}


def submit(predict: Predict, body: object, key: str = "order-1", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return predict.post(json.dumps(body), headers={"Idempotency-Key": key, **named})


def test_same_key_and_body_is_the_same_job_and_no_second_wake_up(predict: Predict) -> None:
    first, again = submit(predict, ASKED), submit(predict, ASKED)
    assert (first.status, again.status) == (202, 202)
    assert again.body == first.body
    assert again.headers["Location"] == first.headers["Location"]
    assert [answer.headers.get("Idempotency-Replayed") for answer in (first, again)] == [None, "true"]
    assert (len(predict.jobs.stored), len(predict.wakeups.sent)) == (1, 1)


@pytest.mark.parametrize(
    "same",
    [
        '{"features":[1.0,2,3,4e0]}',
        '{"model": "iris", "features": [1, 2, 3, 4]}',
        '{"instances": [[1, 2, 3, 4]]}',
    ],
)
def test_other_spelling_is_the_same_submit(predict: Predict, same: str) -> None:
    task_id = submit(predict, ASKED).body["task_id"]
    assert submit(predict, json.loads(same)).body["task_id"] == task_id


@pytest.mark.parametrize(
    "other", [{"features": [1, 2, 3, 5]}, {**ASKED, "version": "1"}, {"instances": [[1, 2, 3, 4]] * 2}]
)
def test_same_key_with_another_body_is_422(predict: Predict, other: object) -> None:
    submit(predict, ASKED)
    answer = submit(predict, other)
    assert (answer.status, answer.body["type"]) == (422, "urn:inference:problem:idempotency-key-reused")
    assert len(predict.jobs.stored) == 1


def test_another_callers_same_key_is_another_job(predict: Predict) -> None:
    first = submit(predict, ASKED)
    assert submit(predict, ASKED, X_Api_Key="another").body["task_id"] != first.body["task_id"]


def test_without_a_key_each_submit_is_a_job(predict: Predict) -> None:
    body = json.dumps(ASKED)
    assert predict.post(body).body["task_id"] != predict.post(body).body["task_id"]


@pytest.mark.parametrize("key", ["", " ", "a b", "ü", "a\x00", "x" * 256, "a\n"])
def test_unfit_key_is_400_and_nothing_is_stored(predict: Predict, key: str) -> None:
    answer = submit(predict, ASKED, key)
    assert (answer.status, answer.body["type"]) == (400, "urn:inference:problem:invalid-header")
    assert predict.jobs.stored == []


@pytest.mark.parametrize("key", ["!", "~" * 255, '"quoted"'])
def test_any_visible_ascii_is_a_key(predict: Predict, key: str) -> None:
    assert submit(predict, ASKED, key).status == 202


def test_invalid_submit_does_not_use_its_key_up(predict: Predict) -> None:
    assert submit(predict, {"features": [1]}).status == 422
    assert submit(predict, ASKED).status == 202
