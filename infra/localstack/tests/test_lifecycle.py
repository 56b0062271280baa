"""LocalStack's own start and end: settings, the cap, an orderly stop, and kill -9."""

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.integration

# A function with a child of its own and one that has left its session.
FAMILY = """
    import os, signal, subprocess, sys, time
    SLEEPER = [sys.executable, "-S", "-c",
               "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"]
    children = [subprocess.Popen(SLEEPER), subprocess.Popen(SLEEPER, start_new_session=True)]
    def flush(*_):
        print("flushed", flush=True)
        os._exit(0)
    signal.signal(signal.SIGTERM, flush)
    def handler(event, context):
        print("began")
        time.sleep(event.get("s", 0))
        return [os.getpid(), *(child.pid for child in children)]
"""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


def guards_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task").glob("*/children")
    pids = [int(child) for listing in children for child in listing.read_text().split()]
    return [child for child in pids if b"guard.py" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_status_answers_before_the_lambda_service_is_loaded(start_localstack):
    stack = start_localstack()
    with urllib.request.urlopen(f"{stack.url}/_localstack/health", timeout=10) as answer:  # noqa: S310 -- our own
        assert json.loads(answer.read())["services"]["lambda"] == "available"
    status = stack.status()
    assert status["executor"] == "process"
    assert status["version"]
    assert status["environments"] == []
    assert status["max_environments"] == 50
    assert status["totals"]["invocations"] == 0
    with urllib.request.urlopen(f"{stack.url}/_localstack/health", timeout=10) as answer:  # noqa: S310 -- our own
        assert json.loads(answer.read())["services"]["lambda"] == "available"


@pytest.mark.parametrize("runtime", ["python3.11", "python3.13"])
def test_kill_9_of_localstack_leaves_no_process_and_no_folder(start_localstack, eventually, runtime):
    stack = start_localstack()
    function = stack.deploy(FAMILY, runtime=runtime)
    pids = function.invoke().payload
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(function.invoke, {"s": 3})
        eventually(lambda: function.log_lines().count("began") == 2)
        guards = guards_of(stack.process.pid)
        assert guards
        assert all(map(is_running, pids))
        stack.process.kill()
        eventually(lambda: not any(map(is_running, [*pids, *guards])), 2.0)
        with pytest.raises(Exception, match=r"Connection|closed"):
            running.result()
    assert list((stack.root / "tmp").glob("lambda-process-*/tmp/*")) == []


def test_orderly_stop_ends_every_function_with_a_chance_to_flush(start_localstack, eventually):
    stack = start_localstack()
    function = stack.deploy(FAMILY)
    pids = function.invoke().payload
    assert stack.end() == 0
    eventually(lambda: not any(map(is_running, pids)), 2.0)
    assert "flushed" in function.log_lines()
    assert list((stack.root / "tmp").glob("lambda-process-*")) == []


def test_more_environments_than_the_cap_are_refused_and_come_back(start_localstack, eventually):
    stack = start_localstack(LAMBDA_PROCESS_MAX_ENVIRONMENTS="1")
    function = stack.deploy(FAMILY)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(function.invoke, {"s": 1.5})
        eventually(lambda: "began" in function.log_lines())
        with pytest.raises(ClientError) as caught:
            function.invoke()
        assert running.result().error is None
    assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert "LAMBDA_PROCESS_MAX_ENVIRONMENTS=1" in caught.value.response["Error"]["Message"]
    assert stack.status()["totals"]["refused"] == 1
    assert function.invoke().error is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("LAMBDA_PROCESS_STOP_GRACE_MS", "soon"), ("LAMBDA_PROCESS_TYPO", "1")],
)
def test_wrong_setting_ends_the_start_with_its_name(start_localstack, name, value):
    stack = start_localstack(wait=False, **{name: value})
    assert stack.process.wait(timeout=60) != 0
    assert name in stack.output
