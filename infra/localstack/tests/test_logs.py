"""Logs as on AWS, in the three places where they can be read."""

import json
import re
from datetime import datetime
from typing import Any

import pytest
from localstack_harness import Function, LocalStack, eventually

pytestmark = pytest.mark.integration

TALKER = """
    import logging, os, sys
    print("while importing")
    def handler(event, context):
        print("first")
        print("second", file=sys.stderr)
        logging.getLogger().warning("third")
        os.write(1, b"fourth, unfinished")
        return "done"
"""
REQUEST_ID = r"[0-9a-f-]{36}"
KEPT_EVENTS = 10_000
NUMBER = r"\d+\.\d\d"
INIT_START = (
    r"INIT_START Runtime Version: python:3\.13\.\S+"
    r"\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}"
)
REPORT = (
    rf"REPORT RequestId: {REQUEST_ID}\tDuration: {NUMBER} ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB"
    rf"\tMax Memory Used: \d+ MB\tInit Duration: {NUMBER} ms\t"
)
FIRST = [
    INIT_START,
    r"while importing",
    rf"START RequestId: ({REQUEST_ID}) Version: \$LATEST",
    r"first",
    r"second",
    rf"\[WARNING\]\t\d{{4}}-\S+Z\t{REQUEST_ID}\tthird",
    r"fourth, unfinished",
    rf"END RequestId: {REQUEST_ID}",
    REPORT,
]


def assert_matches(patterns: list[str], lines: list[str]) -> None:
    assert len(patterns) == len(lines), lines
    for pattern, line in zip(patterns, lines, strict=True):
        assert re.fullmatch(pattern, line), (pattern, line)


def events(localstack: LocalStack, function: Function) -> list[dict[str, Any]]:
    logs = localstack.client("logs")
    group = f"/aws/lambda/{function.name}"
    try:
        streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [
        event
        for stream in streams
        for event in logs.get_log_events(
            logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
        )["events"]
    ]


def messages(localstack: LocalStack, function: Function) -> list[str]:
    return [event["message"].removesuffix("\n") for event in events(localstack, function)]


def test_same_lines_in_the_tail_in_cloudwatch_and_in_the_file(localstack: LocalStack) -> None:
    function = localstack.deploy(TALKER)
    tail = function.invoke().log.splitlines()
    assert_matches(FIRST, tail)
    assert tail == function.log_lines()
    eventually(lambda: messages(localstack, function) == tail)


def test_second_invocation_has_no_init(localstack: LocalStack) -> None:
    function = localstack.deploy(TALKER)
    function.invoke()
    lines = function.invoke().log.splitlines()
    assert lines[0].startswith("START RequestId")
    assert "Init Duration" not in lines[-1]


def test_billed_duration_holds_the_init_and_is_rounded_up(localstack: LocalStack) -> None:
    report = localstack.deploy(TALKER).invoke().report
    duration, init = (
        float(report.partition(f"\t{name}: ")[2].split()[0]) for name in ("Duration", "Init Duration")
    )
    billed = int(report.partition("Billed Duration: ")[2].split()[0])
    assert duration + init <= billed < duration + init + 1.02


def test_lines_of_the_file_carry_time_and_function(localstack: LocalStack) -> None:
    function = localstack.deploy(TALKER)
    function.invoke()
    lines = [line for line in localstack.log_file.read_text().splitlines() if f" {function.name} | " in line]
    for line in lines:
        assert datetime.fromisoformat(line.split(" ", 1)[0]).tzinfo is not None


def test_tail_is_the_last_four_kilobytes(localstack: LocalStack) -> None:
    code = """
        def handler(event, context):
            for number in range(1000):
                print(f"line {number}")
    """
    function = localstack.deploy(code)
    tail = function.invoke().log
    assert len(tail) == 4096
    assert "line 999\n" in tail
    assert "START" not in tail
    assert len([line for line in function.log_lines() if line.startswith("line ")]) == 1000


def test_stack_trace_is_one_event(localstack: LocalStack) -> None:
    function = localstack.deploy("def handler(event, context): raise KeyError('it')")
    function.invoke()
    trace = eventually(lambda: [m for m in messages(localstack, function) if m.startswith("[ERROR]")])
    assert len(trace) == 1
    assert trace[0].startswith("[ERROR] KeyError: 'it'\nTraceback (most recent call last):\n")


def test_json_format_is_kept_by_platform_and_function(localstack: LocalStack) -> None:
    code = """
        import logging
        def handler(event, context):
            logging.getLogger().warning("in words")
    """
    logging = {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}
    function = localstack.deploy(code, LoggingConfig=logging)
    lines = [json.loads(line) for line in function.invoke().log.splitlines()]
    platform = [line["type"] for line in lines if "type" in line]
    assert platform == ["platform.initStart", "platform.start", "platform.report"]
    assert [line["message"] for line in lines if "message" in line] == ["in words"]
    assert lines[-1]["record"]["metrics"]["memorySizeMB"] == 256
    assert lines[-1]["record"]["status"] == "success"


def test_lines_written_between_invocations_are_not_lost(localstack: LocalStack) -> None:
    code = """
        import threading
        def handler(event, context):
            threading.Timer(0.2, print, ["from behind"]).start()
    """
    function = localstack.deploy(code)
    function.invoke()
    eventually(lambda: "from behind" in function.log_lines())
    eventually(lambda: "from behind" in messages(localstack, function))


def test_logs_of_an_invocation_that_outlives_its_function_are_kept(localstack: LocalStack) -> None:
    function = localstack.deploy("import time\ndef handler(event, context): print('began'); time.sleep(1)")
    client = localstack.client("lambda")
    client.invoke(FunctionName=function.name, InvocationType="Event", Payload=b"{}")
    eventually(lambda: "began" in function.log_lines())
    client.delete_function(FunctionName=function.name)
    eventually(lambda: [m for m in messages(localstack, function) if m.startswith("REPORT")])


def test_cloudwatch_keeps_the_newest_events_and_no_more(localstack: LocalStack) -> None:
    function = localstack.deploy(
        """
        def handler(event, context):
            for number in range(event):
                print("line", number)
        """,
        Timeout=10,
    )
    function.invoke(KEPT_EVENTS)
    function.invoke(10)
    eventually(lambda: messages(localstack, function)[-1:] == function.log_lines()[-1:], 20)

    kept = messages(localstack, function)

    assert len(kept) == KEPT_EVENTS
    assert kept == function.log_lines()[-KEPT_EVENTS:]
