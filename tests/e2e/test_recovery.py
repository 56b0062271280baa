"""What dies comes back by itself, and what was accepted meanwhile is not lost."""

import os
import signal

import psutil
import pytest
import urllib3
from localstack_harness import is_running

from tests.whole_stack import frozen

pytestmark = pytest.mark.integration

FLOWER = [5.1, 3.5, 1.4, 0.2]
BACK_WITHIN_S = 60
ORPHANS_GONE_WITHIN_S = 2


def submit(stack):
    try:
        answer = stack.call("POST", "/predict", {"features": FLOWER})
    except urllib3.exceptions.HTTPError:
        return None
    return answer if answer.status == 202 else None


def test_localstack_killed_is_back_deployed_and_leaves_no_orphan(stack, poll):
    assert submit(stack) is not None
    pid = stack.pid_of("localstack")
    functions = psutil.Process(pid).children(recursive=True)
    assert functions

    os.kill(pid, signal.SIGKILL)

    poll(lambda: not any(is_running(each.pid) for each in functions) or None, ORPHANS_GONE_WITHIN_S)
    down = stack.call("GET", "/health")
    assert down.status in (502, 503)
    assert down.headers["Content-Type"] == "application/problem+json"
    accepted = poll(lambda: submit(stack), BACK_WITHIN_S)
    assert stack.result(accepted.json["task_id"])["status"] == "succeeded"


def test_worker_killed_is_back_and_works(stack):
    os.kill(stack.pid_of("worker"), signal.SIGKILL)

    accepted = submit(stack)

    assert accepted is not None
    assert stack.result(accepted.json["task_id"], BACK_WITHIN_S)["status"] == "succeeded"


def test_submit_is_accepted_while_redis_is_gone_and_ends_after(stack):
    with frozen(psutil.Process(stack.pid_of("redis"))):
        accepted = submit(stack)
        assert accepted is not None
    assert stack.result(accepted.json["task_id"], BACK_WITHIN_S)["status"] == "succeeded"


def test_no_submit_is_accepted_while_postgres_is_stopped(stack, poll):
    with frozen(psutil.Process(stack.pid_of("postgres"))):
        answer = stack.call("POST", "/predict", {"features": FLOWER})

    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert poll(lambda: submit(stack), BACK_WITHIN_S).status == 202
