"""The API as a client sees it: through Nginx, API Gateway, Lambda, Celery, the worker and back."""

import uuid

import pytest

pytestmark = pytest.mark.integration

FLOWER = [5.1, 3.5, 1.4, 0.2]
PROBLEM = "application/problem+json"


def test_flower_is_accepted_predicted_and_stored(stack):
    accepted = stack.call("POST", "/predict/", {"features": FLOWER})
    task_id = accepted.json["task_id"]

    assert accepted.status == 202
    assert accepted.json == {
        "task_id": str(uuid.UUID(task_id)),
        "status": "Task submitted",
        "result_url": f"/results/{task_id}",
    }
    assert accepted.headers["Location"] == f"/results/{task_id}"
    assert int(accepted.headers["Retry-After"]) >= 1

    job = stack.result(task_id)
    assert job["status"] == "succeeded"
    assert job["model"] == {"name": "iris", "version": "1"}
    assert job["attempts"] == 1
    assert job["error"] is None
    [prediction] = job["predictions"]
    assert prediction["label"] == "setosa"
    assert set(prediction["probabilities"]) == {"setosa", "versicolor", "virginica"}
    assert sum(prediction["probabilities"].values()) == pytest.approx(1.0)
    assert job["submitted_at"] <= job["started_at"] <= job["finished_at"]

    [row] = stack.rows(
        "SELECT model_name, model_version, status, features, attempts FROM predictions WHERE task_id = %s",
        task_id,
    )
    assert row == ("iris", "1", "succeeded", [FLOWER], 1)


def test_rows_are_predicted_in_their_order(stack):
    rows = [[6.3, 3.3, 6.0, 2.5], FLOWER, [5.9, 2.8, 4.3, 1.3]]

    task_id = stack.call("POST", "/predict", {"instances": rows, "model": "iris"}).json["task_id"]

    labels = [prediction["label"] for prediction in stack.result(task_id)["predictions"]]
    assert labels == ["virginica", "setosa", "versicolor"]


def test_long_poll_answers_once_the_job_has_ended(stack):
    task_id = stack.call("POST", "/predict", {"features": FLOWER}).json["task_id"]

    assert stack.call("GET", f"/results/{task_id}?wait=20").json["status"] == "succeeded"


def test_unknown_task_is_404(stack):
    answer = stack.call("GET", f"/results/{uuid.uuid4()}")

    assert answer.status == 404
    assert answer.headers["Content-Type"] == PROBLEM
    assert "error" in answer.json


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"", 400),
        (b'{"features": [NaN, 1, 1, 1]}', 400),
        (b'{"features": [1e999, 1, 1, 1]}', 422),
        (b'{"features": [5.1, 3.5, 1.4]}', 422),
        (b'{"features": ["5.1", 3.5, 1.4, 0.2]}', 422),
        (b'{"features": [true, 3.5, 1.4, 0.2]}', 422),
        (b'{"features": [5.1, 3.5, 1.4, 0.2], "colour": "blue"}', 422),
        (b'{"features": [5.1, 3.5, 1.4, 0.2], "model": "no-such"}', 422),
        (b"[5.1, 3.5, 1.4, 0.2]", 422),
        (b'{"instances": []}', 422),
        (b"[" * 100_000, 400),
        (b'{"features": [' + b"9" * 5000 + b", 1, 1, 1]}", 422),
        (b"\xff\xfe", 400),
    ],
)
def test_bad_input_says_what_was_expected(stack, body, status):
    answer = stack.call("POST", "/predict", body)

    assert (answer.status, answer.headers["Content-Type"]) == (status, PROBLEM)
    assert {"type", "title", "status", "detail", "error"} <= set(answer.json)
    assert "Traceback" not in answer.text


def test_body_over_a_megabyte_is_413(stack):
    answer = stack.call("POST", "/predict", b"1" * 1_000_001)

    assert (answer.status, answer.headers["Content-Type"]) == (413, PROBLEM)
    assert "1000000 bytes" in answer.json["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/_localstack/health",
        "/_localstack/process-executor",
        "/_aws/execute-api/inference/v1/health",
        "/restapis/inference/v1/_user_request_/health",
        "/2015-03-31/functions",
        "/predict/../_localstack/health",
        "/predict/%2e%2e/_localstack/health",
        "/results/a/b",
        "/-wait/results/a",
        "/inference-packages",
    ],
)
def test_nothing_of_localstack_is_reachable(stack, path):
    answer = stack.call("GET", path)

    assert (answer.status, answer.headers["Content-Type"]) == (404, PROBLEM)


def test_aws_call_dressed_as_a_submit_does_not_reach_aws(stack):
    headers = {
        "X-Amz-Target": "AWSLambda.ListFunctions",
        "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/lambda/aws4_request",
    }
    assert stack.call("POST", "/predict", {"features": FLOWER}, headers).status == 202


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/predict", "POST"), ("DELETE", "/health", "GET"), ("PUT", "/results/a", "GET")],
)
def test_wrong_method_is_405(stack, method, path, allowed):
    answer = stack.call(method, path)

    assert (answer.status, answer.headers["Allow"]) == (405, allowed)
    assert answer.headers["Content-Type"] == PROBLEM


def test_request_id_goes_in_and_comes_out_and_is_stored(stack):
    answer = stack.call("POST", "/predict", {"features": FLOWER}, {"X-Request-Id": "order-4711"})

    assert answer.headers["X-Request-Id"] == "order-4711"
    [(stored,)] = stack.rows(
        "SELECT correlation_id FROM predictions WHERE task_id = %s", answer.json["task_id"]
    )
    assert stored == "order-4711"


def test_unusable_request_id_is_replaced(stack):
    answer = stack.call("GET", "/health", headers={"X-Request-Id": 'a"b' * 50})

    assert answer.headers["X-Request-Id"].isalnum()


def test_answers_carry_hardening_headers(stack):
    for path in ("/health", "/nowhere"):
        headers = stack.call("GET", path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Server"] == "nginx"


def test_health_and_ready(stack):
    assert stack.call("GET", "/health").status == 200
    ready = stack.call("GET", "/ready")
    assert ready.status == 200
    assert {"postgres", "redis", "workers"} <= set(ready.text.replace('"', " ").replace(":", " ").split())
