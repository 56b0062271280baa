"""The API as a client sees it: through Nginx, API Gateway, Lambda, Celery, the worker and back."""

import gzip
import socket
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

pytestmark = pytest.mark.integration

FLOWER = [5.1, 3.5, 1.4, 0.2]
PROBLEM = "application/problem+json"
KEY = {"X-Api-Key": "a-key-of-these-tests"}
STRANGER = {"X-Api-Key": "another-key"}
ADDRESS = "address:127.0.0.1"
FAILED_JOB = """
INSERT INTO predictions
    (task_id, model_name, model_version, features, status, attempts, error, finished_at, caller)
VALUES (%s, 'iris', '1', '[[5.1, 3.5, 1.4, 0.2]]', 'failed', 3, 'gave up', now(), %s)
RETURNING task_id
"""
AT_ONCE = 50
ANSWERED_WITHIN_S = 30
WARM = 8
"""Starts as many environments as the gate lets through at once: each is a new interpreter."""
FLOOD = 500


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


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /results/%00 HTTP/1.1", 400),
        (b"GET /results/%zz HTTP/1.1", 400),
        (b"GET /results/..%2f..%2f_localstack/health HTTP/1.1", 400),
        (b"GARBAGE", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1", 414),
        (b"GET /problem HTTP/1.1", 404),
    ],
)
def test_address_that_cannot_be_read_is_the_clients_fault(stack, line, status):
    with socket.create_connection(("127.0.0.1", int(stack.environment["HTTP_PORT"]))) as connection:
        connection.sendall(line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b"")).decode()

    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert f"Content-Type: {PROBLEM}" in answer
    assert f'"status":{status},' in answer


def test_compressed_body_is_refused_before_anybody_unpacks_it(stack):
    packed = gzip.compress(b"0" * 10_000_000)
    answer = stack.call("POST", "/predict", packed, {"Content-Encoding": "gzip"})

    assert (answer.status, answer.headers["Content-Type"]) == (415, PROBLEM)
    assert "Content-Encoding" in answer.json["error"]
    plain = stack.call("POST", "/predict", {"features": FLOWER}, {"Content-Encoding": "identity"})
    assert plain.status == 202


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
    [
        ("GET", "/predict", "POST"),
        ("DELETE", "/health", "GET"),
        ("PUT", "/results/a", "GET, DELETE"),
        ("DELETE", "/results", "GET"),
        ("GET", f"/results/{uuid.UUID(int=1)}/requeue", "POST"),
    ],
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


def at_once(calls):
    """Make calls in parallel, and give their answers."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_fifty_submits_at_once_are_all_answered_and_one_key_is_one_task(stack, poll):
    headers = {"Idempotency-Key": str(uuid.uuid4())}

    def submit(features):
        return lambda: poll(lambda: answered(features), ANSWERED_WITHIN_S)

    def answered(features):
        """Submit; come again where that is asked, as the key allows."""
        answer = stack.call("POST", "/predict", {"features": features}, headers)
        return None if answer.status == 503 else answer

    at_once([lambda: stack.call("POST", "/predict", {"features": FLOWER})] * WARM)
    answers = at_once([submit(FLOWER)] * AT_ONCE)

    assert {answer.status for answer in answers} == {202}
    [task_id] = {answer.json["task_id"] for answer in answers}
    replayed = [answer.headers.get("Idempotency-Replayed") for answer in answers]
    assert replayed.count(None) == 1
    assert stack.result(task_id)["attempts"] == 1
    assert submit([5.1, 3.5, 1.4, 0.3])().status == 422


def test_flood_from_one_address_is_refused_at_the_door_and_in_time(stack, poll):
    request = b"GET /results HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: flood\r\nConnection: close\r\n\r\n"
    port = int(stack.environment["HTTP_PORT"])
    started = time.monotonic()
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(FLOOD)]
        for each in sockets:
            each.sendall(request)
        answers = [each.makefile("rb").read().decode() for each in sockets]
    statuses = Counter(int(answer.split()[1]) for answer in answers)

    assert time.monotonic() - started < 12
    assert set(statuses) <= {200, 429, 503}
    assert statuses[429] > 50
    refused = [answer for answer in answers if " 200 " not in answer.splitlines()[0]]
    assert all("Retry-After: " in answer and PROBLEM in answer for answer in refused)
    poll(lambda: stack.call("GET", "/results", headers=KEY).status == 200 or None, 30)


def test_job_is_seen_changed_and_listed_by_its_caller_alone(stack):
    task_id = stack.call("POST", "/predict", {"features": FLOWER}, KEY).json["task_id"]
    for method, path in (("GET", ""), ("GET", "?wait=5"), ("DELETE", ""), ("POST", "/requeue")):
        for stranger in (STRANGER, {}, {"X-Forwarded-For": "192.0.2.1"}):
            answer = stack.call(method, f"/results/{task_id}{path}", headers=stranger)
            assert (answer.status, answer.json["detail"]) == (404, f"There is no task {task_id}.")
    assert stack.call("GET", "/results", headers=STRANGER).json == {"items": [], "next_cursor": None}
    assert stack.call("GET", f"/results/{task_id}", headers=KEY).status == 200


def test_key_is_in_no_row_and_no_log(stack):
    stack.call("POST", "/predict", {"features": FLOWER}, KEY)
    [(callers,)] = stack.rows("SELECT string_agg(DISTINCT caller, ' ') FROM predictions")
    logs = "".join(file.read_text(errors="replace") for file in (stack.state / "logs").iterdir())
    assert "key:" in callers
    assert KEY["X-Api-Key"] not in callers + logs


def test_address_that_a_client_claims_is_not_believed(stack):
    task_id = stack.call("POST", "/predict", {"features": FLOWER}, {"X-Forwarded-For": "192.0.2.1"}).json[
        "task_id"
    ]

    assert stack.rows("SELECT caller FROM predictions WHERE task_id = %s", task_id) == [(ADDRESS,)]


def test_list_is_read_page_by_page_newest_first(stack):
    caller = {"X-Api-Key": str(uuid.uuid4())}
    submitted = [
        stack.call("POST", "/predict", {"features": FLOWER}, caller).json["task_id"] for _ in range(5)
    ]
    first = stack.call("GET", "/results/?limit=3&model=iris", headers=caller).json
    stack.call("POST", "/predict", {"features": FLOWER}, caller)
    second = stack.call("GET", f"/results?limit=3&cursor={first['next_cursor']}", headers=caller).json

    pages = [[job["task_id"] for job in page["items"]] for page in (first, second)]
    assert pages == [submitted[:1:-1], submitted[1::-1]]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("query", ["limit=0", "status=done", "cursor=abc", "model=../x"])
def test_bad_list_query_is_400(stack, query):
    answer = stack.call("GET", f"/results?{query}")

    assert (answer.status, answer.headers["Content-Type"]) == (400, PROBLEM)


def test_cancel_ends_a_job_or_comes_too_late(stack):
    task_id = stack.call("POST", "/predict", {"features": FLOWER}).json["task_id"]
    answer = stack.call("DELETE", f"/results/{task_id}")
    job = stack.result(task_id)

    assert (answer.status, job["status"]) in {(200, "cancelled"), (409, "succeeded")}
    ends = "SELECT count(*) FROM transitions WHERE task_id = %s AND to_status IN ('cancelled', 'succeeded')"
    assert stack.rows(ends, task_id) == [(1,)]


def test_failed_job_is_queued_again_and_succeeds(stack):
    task_id = str(uuid.uuid4())
    stack.rows(FAILED_JOB, task_id, ADDRESS)
    assert stack.call("DELETE", f"/results/{task_id}").status == 409
    answer = stack.call("POST", f"/results/{task_id}/requeue")

    assert (answer.status, answer.json["status"], answer.headers["Location"]) == (
        202,
        "queued",
        f"/results/{task_id}",
    )
    job = stack.result(task_id)
    assert (job["status"], job["attempts"], job["error"]) == ("succeeded", 4, None)
    assert stack.call("POST", f"/results/{task_id}/requeue").status == 409


def test_expired_job_is_410(stack):
    task_id = str(uuid.uuid4())
    stack.rows("INSERT INTO expired (task_id, caller) VALUES (%s, %s) RETURNING 1", task_id, ADDRESS)
    answer = stack.call("GET", f"/results/{task_id}")

    assert (answer.status, answer.headers["Content-Type"]) == (410, PROBLEM)


def test_refusal_for_want_of_room_keeps_the_functions_own_retry_after(stack):
    fill = (
        "INSERT INTO predictions (task_id, model_name, model_version, features, caller, attempts, sent_at)"
        " SELECT gen_random_uuid(), 'iris', '1', '[[1]]', %s, 1, now() + interval '1 hour'"
        " FROM generate_series(1, 1000) RETURNING caller"
    )
    full = {"X-Api-Key": str(uuid.uuid4())}
    task_id = stack.call("POST", "/predict", {"features": FLOWER}, full | {"Idempotency-Key": "k"}).json[
        "task_id"
    ]
    [(caller,)] = stack.rows("SELECT caller FROM predictions WHERE task_id = %s", task_id)
    try:
        stack.rows(fill, caller)
        refused = stack.call("POST", "/predict", {"features": FLOWER}, full)
        again = stack.call("POST", "/predict", {"features": FLOWER}, full | {"Idempotency-Key": "k"})
        other = stack.call("POST", "/predict", {"features": FLOWER})
    finally:
        stack.rows("DELETE FROM predictions WHERE caller = %s RETURNING 1", caller)
    assert (refused.status, refused.json["type"]) == (429, "urn:inference:problem:caller-full")
    assert int(refused.headers["Retry-After"]) >= 1
    assert (again.status, again.json["task_id"]) == (202, task_id)
    assert other.status == 202
