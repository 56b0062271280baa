"""Functions that loop, fork, sleep or eat memory, deployed beside the real ones into the same LocalStack."""

import subprocess
import time

import psutil
import pytest
from localstack_harness import LocalStack, is_running

from tests.faults.conftest import UnderLoad
from tests.faults.fault_stack import FaultStack
from tests.whole_stack import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(300)]

TIMEOUT_S, MEMORY_MB = 2, 128
KILLED_WITHIN_S = TIMEOUT_S + 1
CALL_COSTS_S = 1.0
"""A cold start and two trips through HTTP on a busy machine, on top of what the function takes."""
STEADY_MB = 4 * MEMORY_MB
FOREVER = """
import os, subprocess, sys, time
def handler(event, context):
    if event.get("well"):
        return "well"
    sleep = [sys.executable, "-S", "-c", "import time; time.sleep(300)"]
    sleeper = subprocess.Popen(sleep, start_new_session=True)
    child = os.fork()
    print("pids", os.getpid(), sleeper.pid, child, flush=True)
    if child == 0 or event["how"] == "loop":
        while True:
            pass
    time.sleep(300)
"""
HUNGRY = f"""
def handler(event, context):
    if event.get("well"):
        return "well"
    blocks = []
    for _ in range({4 * MEMORY_MB}):
        blocks.append(bytes([1]) * (1 << 20))
    return len(blocks)
"""


@pytest.fixture
def lambdas(stack: FaultStack) -> LocalStack:
    """The stack's LocalStack, for deploying into; its process stays the supervisor's."""
    port = int(stack.running.environment["LOCALSTACK_PORT"])
    return LocalStack(port, stack.running.state, subprocess.Popen.__new__(subprocess.Popen))


@pytest.mark.parametrize("how", ["loop", "sleep"])
def test_endless_function_is_killed_with_all_it_started(
    under_load: UnderLoad, lambdas: LocalStack, how: str
) -> None:
    function = lambdas.deploy(FOREVER, Timeout=TIMEOUT_S, MemorySize=MEMORY_MB)
    with under_load(f"function that forks and {how}s for ever") as episode:
        begin = time.monotonic()
        result = function.invoke({"how": how})
        took_s = time.monotonic() - begin
        pids = _pids(result.log)
        eventually(lambda: not any(map(is_running, pids)) or None, 1)
        well = function.invoke({"well": True})
        episode.over()

    assert (result.error, result.payload["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert took_s <= KILLED_WITHIN_S + CALL_COSTS_S
    assert len(pids) == 3
    assert well.payload == "well"
    assert episode.recorder.failed() == []


def test_function_of_four_times_its_memory_is_killed(under_load: UnderLoad, lambdas: LocalStack) -> None:
    function = lambdas.deploy(HUNGRY, Timeout=10, MemorySize=MEMORY_MB)
    with under_load("function of 4x its MemorySize") as episode:
        before = psutil.virtual_memory().available
        result = function.invoke()
        after = psutil.virtual_memory().available
        well = function.invoke({"well": True})
        episode.over()

    assert (result.error, result.payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert (before - after) / 2**20 < STEADY_MB
    assert well.payload == "well"
    assert episode.recorder.failed() == []


def _pids(log: str) -> list[int]:
    line = next(line for line in log.splitlines() if line.startswith("pids"))
    return [int(word) for word in line.split()[1:]]
