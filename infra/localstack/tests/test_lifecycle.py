"""LocalStack's own start and end: settings, the cap, an orderly stop, and kill -9."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, HTTPClientError
from localstack_harness import PYTHON_RUNTIMES, LocalStack, eventually, is_running

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


def guards_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task").glob("*/children")
    pids = [int(child) for listing in children for child in listing.read_text().split()]
    return [child for child in pids if b"guard.py" in Path(f"/proc/{child}/cmdline").read_bytes()]


@pytest.fixture(scope="module")
def one_life(start_localstack: Callable[..., LocalStack]) -> LocalStack:
    """One LocalStack for the tests below, in their order: the last of them ends it."""
    return start_localstack(LAMBDA_PROCESS_MAX_ENVIRONMENTS="1")


def lambda_service_state(stack: LocalStack) -> str:
    return str(json.loads(stack.get("/_localstack/health"))["services"]["lambda"])


def test_status_answers_before_the_lambda_service_is_loaded(one_life: LocalStack) -> None:
    status = one_life.status()
    assert lambda_service_state(one_life) == "available"
    assert status["executor"] == "process"
    assert status["version"]
    assert status["environments"] == []
    assert status["listen_host"]["enabled"]
    assert status["max_environments"] == 1
    assert status["totals"]["invocations"] == 0


def test_more_environments_than_the_cap_are_refused_and_come_back(one_life: LocalStack) -> None:
    function = one_life.deploy(FAMILY)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(function.invoke, {"s": 1.5})
        eventually(lambda: "began" in function.log_lines())
        with pytest.raises(ClientError) as caught:
            function.invoke()
        assert running.result().error is None
    assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert "LAMBDA_PROCESS_MAX_ENVIRONMENTS=1" in caught.value.response["Error"]["Message"]
    assert one_life.status()["totals"]["refused"] == 1
    assert function.invoke().error is None
    one_life.client("lambda").delete_function(FunctionName=function.name)
    eventually(lambda: not function.environments())


def test_idle_environment_makes_room_and_comes_back_cold(one_life: LocalStack) -> None:
    first, second = one_life.deploy(FAMILY), one_life.deploy(FAMILY)
    before = one_life.status()["totals"]["put_away"]
    pids = first.invoke().payload
    assert second.invoke().error is None
    eventually(lambda: not any(map(is_running, pids)))
    assert [environment["function"] for environment in one_life.status()["environments"]] == [second.name]
    again = first.invoke()
    assert again.error is None
    assert again.log.startswith("INIT_START")
    assert "\tInit Duration: " in again.report
    assert one_life.status()["totals"]["put_away"] == before + 2
    for function in (first, second):
        one_life.client("lambda").delete_function(FunctionName=function.name)
    eventually(lambda: not one_life.status()["environments"])


def test_orderly_stop_ends_every_function_with_a_chance_to_flush(one_life: LocalStack) -> None:
    function = one_life.deploy(FAMILY)
    pids = function.invoke().payload
    assert one_life.end() == 0
    eventually(lambda: not any(map(is_running, pids)), 2.0)
    assert "flushed" in function.log_lines()
    assert list((one_life.root / "tmp").glob("lambda-process-*")) == []


def test_kill_9_of_localstack_leaves_no_process_and_no_folder(
    start_localstack: Callable[..., LocalStack],
) -> None:
    """With users of their own and with LocalStack's, idle and busy."""
    stack = start_localstack()
    functions = [stack.deploy(FAMILY, runtime=runtime) for runtime in PYTHON_RUNTIMES]
    pids = [pid for function in functions for pid in function.invoke().payload]
    busy = functions[0]
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(busy.invoke, {"s": 3})
        eventually(lambda: busy.log_lines().count("began") == 2)
        guards = guards_of(stack.process.pid)
        assert len(guards) == 2
        assert all(map(is_running, pids))
        stack.process.kill()
        eventually(lambda: not any(map(is_running, [*pids, *guards])), 2.0)
        with pytest.raises((HTTPClientError, ConnectionError)):
            running.result()
    assert list((stack.root / "tmp").glob("lambda-process-*/tmp/*")) == []


def test_executor_that_localstack_fell_back_to_is_told(start_localstack: Callable[..., LocalStack]) -> None:
    assert start_localstack(LAMBDA_RUNTIME_EXECUTOR="proces").status()["executor"] == "docker"


@pytest.mark.parametrize(
    ("name", "value"),
    [("LAMBDA_PROCESS_STOP_GRACE_MS", "soon"), ("LAMBDA_PROCESS_TYPO", "1")],
)
def test_wrong_setting_ends_the_start_with_its_name(
    start_localstack: Callable[..., LocalStack], name: str, value: str
) -> None:
    stack = start_localstack(wait=False, **{name: value})
    assert stack.process.wait(timeout=60) != 0
    assert name in stack.output
