"""The logs of all parts: one task's way is found by its id, and nothing of a caller's is in them."""

import json
import re
import signal
import uuid

import pytest

pytestmark = pytest.mark.integration

FLOWER = [5.1, 3.5, 1.4, 0.2]
LINE = re.compile(r"(\d\d:\d\d:\d\d\.\d{3}) (\S+)\s+(.*)")
WRITTEN_WITHIN_S = 20
SECRET = uuid.uuid4().hex
"""In every value that a caller sends; features hold figures that nothing else in a log has."""
FEATURE = 7131.86420975
OTHER_FEATURE = 9264.13579864


def lines_of(report):
    return [found.groups() for found in map(LINE.fullmatch, report.stdout.splitlines()) if found]


def test_one_task_is_followed_through_all_parts_in_order(stack, poll):
    request = f"way-{uuid.uuid4()}"
    task_id = stack.call("POST", "/predict", {"features": FLOWER}, {"X-Request-Id": request}).json["task_id"]
    stack.result(task_id)
    stack.call("POST", "/predict", {"features": FLOWER})

    def way():
        lines = lines_of(stack.launch("logs", "--id", task_id))
        return lines if {"nginx", "predict", "worker", "results"} <= {part for _, part, _ in lines} else None

    lines = poll(way, WRITTEN_WITHIN_S)

    assert [time for time, _, _ in lines] == sorted(time for time, _, _ in lines)
    its_own = [(part, text) for _, part, text in lines if f"correlation_id={request}" in text]
    assert [part for part, _ in its_own if part in ("nginx", "predict", "worker")][:3] == [
        "nginx",
        "predict",
        "worker",
    ]
    assert all(request in text or task_id in text for _, _, text in lines)
    [finished] = [text for part, text in its_own if part == "worker" and "job finished" in text]
    assert f"task_id={task_id}" in finished
    assert "model=iris" in finished
    [answered] = [text for part, text in its_own if part == "predict"]
    assert "route=/predict status=202" in answered
    assert "model=iris" in answered
    stored = stack.rows("SELECT correlation_id FROM predictions WHERE task_id = %s", task_id)
    assert stored == [(request,)]


def test_request_of_a_task_is_found_without_postgres(stack, poll):
    task_id = stack.call("POST", "/predict", {"features": FLOWER}).json["task_id"]
    stack.result(task_id)

    def parts():
        lines = lines_of(stack.launch("logs", "--id", task_id, POSTGRES_PORT="1024"))
        found = {part for _, part, text in lines if "/predict" in text or "job finished" in text}
        return found if {"nginx", "predict", "worker"} <= found else None

    poll(parts, WRITTEN_WITHIN_S)


def test_task_that_nobody_knows_is_an_error(stack):
    report = stack.launch("logs", "--id", str(uuid.uuid4()))
    assert report.returncode == 1
    assert "no part has written about task" in report.stdout


def test_what_is_no_task_id_is_an_error(stack):
    report = stack.launch("logs", "--id", "4711")
    assert report.returncode == 1
    assert "'4711' is not a task id" in report.stdout


def test_newest_lines_of_all_parts_are_merged_without_colours(stack):
    stack.call("GET", "/health")
    report = stack.launch("logs", "--no-follow")
    times = [time for time, _, _ in lines_of(report)]
    assert report.returncode == 0
    assert len(times) > 10
    assert times == sorted(times)
    assert "\x1b" not in report.stdout


def test_one_part_is_shown_alone_and_an_unknown_one_is_named(stack):
    assert {part for _, part, _ in lines_of(stack.launch("logs", "redis", "--no-follow"))} == {"redis"}
    unknown = stack.launch("logs", "no-such-part", "--no-follow")
    assert unknown.returncode == 1
    assert "redis" in unknown.stdout


def test_logs_go_on_with_what_is_written(stack):
    request = f"seen-{uuid.uuid4()}"
    with stack.begin("logs", "nginx") as following:
        try:
            following.stdout.readline()
            stack.call("GET", "/health", headers={"X-Request-Id": request})
            assert any(request in line for line in following.stdout)
            following.send_signal(signal.SIGINT)
            assert "stopped" not in following.stdout.read()
            assert following.wait() == 0
        finally:
            following.kill()


def test_nothing_of_a_caller_and_no_password_is_in_a_log(stack):
    headers = {
        "X-Api-Key": f"key-{SECRET}",
        "Idempotency-Key": f"name-{SECRET}",
        "Authorization": f"Bearer {SECRET}",
        "Cookie": f"session={SECRET}",
    }
    flower = [FEATURE, 3.5, 1.4, OTHER_FEATURE]
    accepted = stack.call("POST", f"/predict?token={SECRET}", {"features": flower}, headers)
    task_id = accepted.json["task_id"]
    asked = stack.call("GET", f"/results/{task_id}?wait=10", headers=headers)
    assert (accepted.status, asked.json["status"]) == (202, "succeeded")
    again = stack.call("POST", "/predict", {"features": [FEATURE] * 4}, headers)
    assert again.status == 422
    for body in (
        f'{{"features": [{FEATURE}, "{SECRET}"',
        {"features": [FEATURE, SECRET, 1, 1]},
        {"features": [FEATURE]},
        {"features": flower, SECRET: 1},
        {"features": flower, "model": f"m-{SECRET}"},
        f"[{SECRET}" * 30_000,
    ):
        assert stack.call("POST", "/predict", body, headers).status in (400, 413, 422)
    stack.call("GET", f"/results/{task_id}?wait={SECRET}", headers=headers)
    stack.call("GET", f"/results?cursor={SECRET}", headers=headers)

    files = [path for path in (stack.state / "logs").rglob("*") if path.is_file()]
    logs = {path.name: path.read_text(errors="replace") for path in files}
    passwords = list(json.loads((stack.state / "credentials.json").read_text()).values())
    assert task_id in logs["worker.log"]
    assert task_id in logs["functions.log"]
    for word in (SECRET, str(FEATURE), str(OTHER_FEATURE), "7131.86", "9264.13", *passwords):
        assert [name for name, text in logs.items() if word in text] == []
