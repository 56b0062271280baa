"""What Prometheus reads of the executor."""

import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from localstack_harness import LocalStack, eventually
from localstack_process_executor import aws_errors
from localstack_process_executor.events import Exited
from localstack_process_executor.metrics import FunctionFacts, LambdaMetrics, outcome_of
from prometheus_client.parser import text_string_to_metric_families

PREDICT = FunctionFacts("predict", memory_size_mb=256, reserved_concurrency=8)
ENDS = """
    import os, time
    def handler(event, context):
        if event.get("ending") == "error": raise ValueError("asked for")
        if event.get("ending") == "exit": os._exit(1)
        if event.get("ending") == "memory": kept = os.urandom(300_000_000); time.sleep(3)
        time.sleep(event.get("s", 0))
        return 1
"""


def samples(page: bytes) -> dict[tuple[str, ...], float]:
    """Each sample's value by its name and its labels' values, in the order of the labels' names."""
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def environment(state: str, pid: int | None = None, function: str = "predict") -> dict[str, object]:
    return {"function": function, "state": state, "pid": pid}


def test_environments_are_counted_by_state_and_those_at_work_together() -> None:
    page = samples(LambdaMetrics().render([environment("busy"), environment("starting")], [PREDICT]))
    assert page["lambda_environments", "predict", "busy"] == 1
    assert page["lambda_environments", "predict", "idle"] == 0
    assert page["lambda_busy_environments", "predict"] == 2
    assert page["lambda_reserved_concurrency", "predict"] == 8
    assert page["lambda_memory_limit_bytes", "predict"] == 256 * 1024 * 1024


def test_function_without_reserved_concurrency_shows_none() -> None:
    page = samples(LambdaMetrics().render([], [FunctionFacts("predict", 128, None)]))
    assert ("lambda_reserved_concurrency", "predict") not in page
    assert page["lambda_environments", "predict", "busy"] == 0


def test_counters_of_a_new_function_begin_at_zero() -> None:
    page = samples(LambdaMetrics().render([], [PREDICT]))
    assert page["lambda_invocations_total", "predict", "timeout"] == 0
    assert page["lambda_environments_started_total", "predict"] == 0
    assert page["lambda_environments_ended_total", "predict", "put_away"] == 0


def test_process_that_is_gone_has_no_memory() -> None:
    page = samples(LambdaMetrics().render([environment("idle", pid=2**22 + 1)], []))
    assert page["lambda_memory_bytes", "predict"] == 0


def test_series_of_a_deleted_function_go_and_the_others_stay() -> None:
    metrics = LambdaMetrics()
    for function in ("predict", "deleted"):
        metrics.started(function)
        metrics.initialised(function, 0.2)
        metrics.invoked(function, 0.01, None)
        metrics.ended(function, "stopped")
    deleted = FunctionFacts("deleted", 128, None)
    assert any("deleted" in sample for sample in samples(metrics.render([], [PREDICT, deleted])))
    page = samples(metrics.render([], [PREDICT]))
    assert not any("deleted" in sample for sample in page)
    assert page["lambda_invocations_total", "predict", "ok"] == 1
    assert page["lambda_environments_ended_total", "predict", "stopped"] == 1
    assert page["lambda_duration_seconds_count", "predict"] == 1
    assert page["lambda_init_seconds_sum", "predict"] == 0.2


@pytest.mark.parametrize(
    ("exit_", "outcome"),
    [
        (Exited(exit_code=1), "exit"),
        (Exited(signal=9, over_memory=True), "out_of_memory"),
        (Exited(exec_error="no such file"), "exit"),
    ],
)
def test_end_of_the_process_tells_memory_apart(exit_: Exited, outcome: str) -> None:
    assert outcome_of(aws_errors.exited("id", exit_)) == outcome


def test_every_other_end_has_its_word() -> None:
    assert outcome_of(None) == "ok"
    assert outcome_of(aws_errors.timed_out("id", 1.0, "now")) == "timeout"
    assert outcome_of(aws_errors.reported_by_runtime(b"{}", "ValueError")) == "error"
    assert outcome_of(aws_errors.response_too_large(1)) == "error"


def read(localstack: LocalStack) -> dict[tuple[str, ...], float]:
    address = f"{localstack.url}/_localstack/process-executor/metrics"
    with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - http, made above
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return samples(answer.read())


@pytest.mark.integration
def test_each_end_of_a_call_is_counted_once(localstack: LocalStack) -> None:
    function = localstack.deploy(ENDS, Timeout=2, MemorySize=128)
    for ending, times in (("none", 3), ("error", 2), ("exit", 1), ("memory", 1)):
        for _ in range(times):
            function.invoke({"ending": ending})
    function.invoke({"s": 5})
    page = read(localstack)
    ends = {key[2]: n for key, n in page.items() if key[:2] == ("lambda_invocations_total", function.name)}
    assert ends == {"ok": 3, "error": 2, "exit": 1, "out_of_memory": 1, "timeout": 1, "throttled": 0}
    assert page["lambda_duration_seconds_count", function.name] == 8
    assert page["lambda_environments_started_total", function.name] == 1
    assert page["lambda_init_seconds_count", function.name] == 1


@pytest.mark.integration
def test_what_runs_and_what_may_is_shown_and_goes_with_the_function(localstack: LocalStack) -> None:
    function = localstack.deploy(ENDS, MemorySize=192, Timeout=10)
    client = localstack.client("lambda")
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(function.invoke, {"s": 3})
        eventually(lambda: read(localstack).get(("lambda_environments", function.name, "busy")) == 1)
        with pytest.raises(ClientError, match="Rate Exceeded"):
            function.invoke()
        page = read(localstack)
        assert page["lambda_busy_environments", function.name] == 1
        assert page["lambda_reserved_concurrency", function.name] == 1
        assert page["lambda_invocations_total", function.name, "throttled"] == 1
        assert 1_000_000 < page["lambda_memory_bytes", function.name] < 192 * 1024 * 1024
        assert page["lambda_memory_limit_bytes", function.name] == 192 * 1024 * 1024
        running.result()
    client.delete_function(FunctionName=function.name)
    eventually(lambda: not any(function.name in key for key in read(localstack)))


@pytest.mark.integration
def test_reading_takes_milliseconds(localstack: LocalStack) -> None:
    localstack.deploy(ENDS).invoke()
    read(localstack)
    began_s = time.monotonic()
    read(localstack)
    assert time.monotonic() - began_s < 1.0
