"""`POST /predict` with good input: what is stored, sent and answered, and in which order."""

import base64
import json
import time
import uuid

import pytest
import submission
from known_models import KnownModels
from submit import Asker, Submit

from tests.unit.functions.gateway import Predict

IRIS_ROW = '{"features": [5.1, 3.5, 1.4, 0.2]}'


def test_submit_is_accepted_with_the_address_of_its_result(predict: Predict) -> None:
    answer = predict.post(IRIS_ROW)
    task_id = answer.body["task_id"]
    assert (answer.status, str(uuid.UUID(task_id))) == (202, task_id)
    result_url = f"/results/{task_id}"
    assert answer.body == {"task_id": task_id, "status": "Task submitted", "result_url": result_url}
    assert answer.headers["Location"] == result_url
    assert int(answer.headers["Retry-After"]) >= 1


def test_row_is_committed_then_sent_then_marked(predict: Predict) -> None:
    task_id = predict.post(IRIS_ROW).body["task_id"]
    (job,) = predict.jobs.stored
    assert (job.task_id, job.model.name, job.model.version) == (task_id, "iris", "1")
    assert job.features == ((5.1, 3.5, 1.4, 0.2),)
    assert predict.wakeups.sent == [(task_id, "gateway-request")]
    assert predict.jobs.sent == [task_id]


def test_rows_are_one_job(predict: Predict) -> None:
    assert predict.post('{"instances": [[1, 2, 3, 4], [5, 6, 7, 8]]}').status == 202
    assert predict.jobs.stored[0].features == ((1, 2, 3, 4), (5, 6, 7, 8))


def test_model_and_version_can_be_named(predict: Predict) -> None:
    body = {"features": [1, 2, 3, 4], "model": "iris", "version": "1"}
    assert predict.post(json.dumps(body)).status == 202


def test_request_id_is_the_callers_where_it_is_fit(predict: Predict) -> None:
    answer = predict.post(IRIS_ROW, headers={"x-request-id": "shop-42"})
    assert answer.headers["X-Request-Id"] == "shop-42"
    assert predict.jobs.stored[0].correlation_id == "shop-42"


@pytest.mark.parametrize("unfit", ["", "a b", "ü", "x" * 129, "a\nb", "a\x00"])
def test_request_id_is_the_gateways_where_the_callers_is_unfit(predict: Predict, unfit: str) -> None:
    answer = predict.post(IRIS_ROW, headers={"X-Request-Id": unfit})
    assert answer.headers["X-Request-Id"] == "gateway-request"


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"]
)
def test_json_content_types_are_accepted(predict: Predict, content_type: str) -> None:
    assert predict.post(IRIS_ROW, headers={"Content-Type": content_type}).status == 202


def test_base64_body_is_unwrapped(predict: Predict) -> None:
    assert predict.post(base64.b64encode(IRIS_ROW.encode()).decode(), base64=True).status == 202


def test_dead_broker_still_accepts_and_leaves_the_row_unsent(predict: Predict) -> None:
    predict.wakeups.down = True
    answer = predict.post(IRIS_ROW)
    assert answer.status == 202
    assert [job.task_id for job in predict.jobs.stored] == [answer.body["task_id"]]
    assert predict.jobs.sent == []


def test_dead_database_is_503_and_nothing_is_sent(predict: Predict) -> None:
    predict.jobs.down = True
    answer = predict.post(IRIS_ROW)
    assert (answer.status, answer.body["type"]) == (503, "urn:inference:problem:database-unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert predict.wakeups.sent == []


def test_unreadable_registry_is_503(predict: Predict) -> None:
    predict.registry.down = True
    assert predict.post(IRIS_ROW).status == 503


def test_no_model_yet_is_503_that_says_so(predict: Predict) -> None:
    predict.registry.models = ()
    answer = predict.post(IRIS_ROW)
    assert (answer.status, answer.body["type"]) == (503, "urn:inference:problem:no-model")
    assert "worker" in answer.body["detail"]


@pytest.mark.parametrize("named", [{"model": "rose"}, {"version": "9"}])
def test_unknown_model_is_422_with_the_known_ones(predict: Predict, named: dict[str, str]) -> None:
    answer = predict.post(json.dumps({"features": [1, 2, 3, 4], **named}))
    assert (answer.status, answer.body["models"]) == (422, ["iris 1"])
    assert predict.jobs.stored == []


def test_failpoint_stands_between_commit_and_send(predict: Predict) -> None:
    seen: list[tuple[int, int]] = []
    submit = Submit(
        KnownModels(predict.registry),
        predict.jobs,
        predict.wakeups,
        after_commit=lambda: seen.append((len(predict.jobs.stored), len(predict.wakeups.sent))),
    )

    submit(submission.read(json.loads(IRIS_ROW)), Asker("caller", "request"))

    assert seen == [(1, 0)]


@pytest.mark.parametrize(
    ("waited_s", "status"), [("nothing said", 202), (0.1, 202), (0.8, 202), (1.7, 503), (60.0, 503)]
)
def test_submit_that_waited_too_long_is_refused_before_it_is_stored(
    predict: Predict, waited_s: float | str, status: int
) -> None:
    received_at = waited_s if isinstance(waited_s, str) else f"{time.time() - waited_s:.3f}"

    answer = predict.post(IRIS_ROW, headers={"X-Received-At": received_at})

    assert answer.status == status
    assert len(predict.jobs.stored) == (status == 202)
    assert int(answer.headers["Retry-After"]) >= 1
