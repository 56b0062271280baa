"""AWS's documented results, to the letter, for every way in which an invocation can end."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from localstack_harness import Function, LocalStack, eventually, is_running

pytestmark = pytest.mark.integration

MANY_ENDS = """
    import ctypes, os, signal, sys, time
    runs = 0
    def handler(event, context):
        global runs
        runs += 1
        how = event.get("how")
        if how == "raise":
            raise ValueError("no such thing")
        if how == "exit":
            sys.exit(event["code"])
        if how == "vanish":
            os._exit(0)
        if how == "signal":
            os.kill(os.getpid(), event["number"])
        if how == "sleep":
            time.sleep(60)
        if how == "large":
            return "x" * event["size"]
        if how == "set":
            return {1, 2}
        if how == "nothing":
            return None
        return {"runs": runs, "event": event}
"""


@pytest.fixture(scope="module")
def function(localstack: LocalStack) -> Function:
    return localstack.deploy(MANY_ENDS, Timeout=5)


def test_returned_value_is_the_payload(function: Function) -> None:
    result = function.invoke({"a": [1, "ä"]})
    assert result.error is None
    assert result.payload["event"] == {"a": [1, "ä"]}


def test_no_return_value_is_null(function: Function) -> None:
    assert function.invoke({"how": "nothing"}).payload is None


def test_empty_payload_is_an_empty_event(function: Function) -> None:
    assert function.invoke(raw=b"").payload["event"] == {}


def test_exception_is_an_unhandled_error(function: Function) -> None:
    result = function.invoke({"how": "raise"})
    assert result.error == "Unhandled"
    assert result.payload["errorType"] == "ValueError"
    assert result.payload["errorMessage"] == "no such thing"
    assert result.payload["requestId"]
    assert "raise ValueError" in result.payload["stackTrace"][0]
    assert "[ERROR] ValueError: no such thing\nTraceback (most recent call last):" in result.log


def test_value_that_is_no_json_is_a_marshal_error(function: Function) -> None:
    result = function.invoke({"how": "set"})
    assert result.error == "Unhandled"
    assert result.payload["errorType"] == "Runtime.MarshalError"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"how": "exit", "code": 1}, "Runtime exited with error: exit status 1"),
        ({"how": "exit", "code": 0}, "Runtime exited without providing a reason"),
        ({"how": "vanish"}, "Runtime exited without providing a reason"),
        ({"how": "signal", "number": 9}, "Runtime exited with error: signal: killed"),
        ({"how": "signal", "number": 11}, "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_exit_and_crash_are_exit_errors_and_the_next_invocation_starts_over(
    function: Function, event: dict[str, Any], reason: str
) -> None:
    result = function.invoke(event)
    request_id = result.log.partition("START RequestId: ")[2].partition(" ")[0]
    assert result.error == "Unhandled"
    assert result.payload == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {request_id} Error: {reason}",
    }
    assert (
        f"RequestId: {request_id} Error: {reason}\nRuntime.ExitError\nEND RequestId: {request_id}"
        in result.log
    )
    assert result.report.endswith("\tStatus: error\tError Type: Runtime.ExitError\t")
    assert function.invoke().payload["runs"] == 1


def test_time_out_says_after_how_long_and_the_next_invocation_starts_over(localstack: LocalStack) -> None:
    function = localstack.deploy(MANY_ENDS, Timeout=2)
    result = function.invoke({"how": "sleep"})
    request_id = result.log.partition("START RequestId: ")[2].partition(" ")[0]
    assert result.error == "Unhandled"
    assert result.payload == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after 2.00 seconds",
    }
    assert f"Z {request_id} Task timed out after 2.00 seconds\n" in result.log
    assert result.report.endswith("\tStatus: timeout\t")
    assert "\tDuration: 2000.00 ms\t" in result.report
    assert function.invoke().payload["runs"] == 1


def test_answer_of_the_largest_size_passes_and_one_over_it_does_not(function: Function) -> None:
    limit = 6 * 1024 * 1024 + 100
    quotes = 2
    assert len(function.invoke({"how": "large", "size": limit - quotes}).payload) == limit - quotes
    result = function.invoke({"how": "large", "size": limit - quotes + 1})
    assert result.error == "Unhandled"
    assert result.payload == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }
    assert function.invoke().error is None


@pytest.mark.parametrize("payload", [b"'test'", b"{", b"NaN", b'{"a": 1,}'])
def test_payload_that_is_no_json_is_refused_before_the_function(function: Function, payload: bytes) -> None:
    before = len(function.log_lines())
    with pytest.raises(ClientError) as caught:
        function.invoke(raw=payload)
    assert caught.value.response["Error"]["Code"] == "InvalidRequestContentException"
    assert "Could not parse request body into json" in caught.value.response["Error"]["Message"]
    assert len(function.log_lines()) == before


def test_payload_that_is_not_utf_8_is_refused(function: Function) -> None:
    with pytest.raises(ClientError) as caught:
        function.invoke(raw=b'{"a": "\xff\xfe"}')
    assert caught.value.response["Error"]["Code"] == "InvalidRequestContentException"


def test_payload_over_six_megabytes_is_refused(function: Function) -> None:
    with pytest.raises(ClientError) as caught:
        function.invoke(raw=json.dumps("x" * 6 * 1024 * 1024).encode())
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


@pytest.mark.parametrize(
    ("code", "handler", "error_type", "message"),
    [
        (
            "import no_such_module",
            "app.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'app': No module named 'no_such_module'",
        ),
        ("x = 1", "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("x = = 1", "app.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app': "),
        ("raise KeyError('at import')", "app.handler", "KeyError", "'at import'"),
        (
            "x = 1",
            "nodots",
            "Runtime.MalformedHandlerName",
            "Bad handler 'nodots': not enough values to unpack (expected 2, got 1)",
        ),
    ],
)
def test_failing_init_is_tried_again_and_told(
    localstack: LocalStack, code: str, handler: str, error_type: str, message: str
) -> None:
    result = localstack.deploy(code, handler=handler).invoke()
    assert result.error == "Unhandled"
    assert result.payload["errorType"] == error_type
    assert result.payload["errorMessage"].startswith(message)
    init, again = result.log.index("\tPhase: init\t"), result.log.index("\tPhase: invoke\t")
    assert init < again < result.log.index("START RequestId")
    assert f"Status: error\tError Type: {error_type}" in result.report


def test_exit_during_init_is_an_exit_error(localstack: LocalStack) -> None:
    result = localstack.deploy("print('so far'); raise SystemExit(5)").invoke()
    assert result.payload["errorType"] == "Runtime.ExitError"
    assert result.payload["errorMessage"].endswith(" Error: Runtime exited with error: exit status 5")
    assert result.log.count("so far\n") == 2
    assert "Init Duration" not in result.report


def test_crash_during_init_is_an_exit_error(localstack: LocalStack) -> None:
    result = localstack.deploy("import os; os.kill(os.getpid(), 6)").invoke()
    assert result.payload["errorMessage"].endswith(" Error: Runtime exited with error: signal: aborted")


def test_slow_init_is_ended_and_succeeds_in_the_invoke_phase(localstack: LocalStack) -> None:
    code = """
        import os, time
        marker = os.path.join(os.path.dirname(os.environ["TMPDIR"]), os.environ["MARKER"])
        first = not os.path.exists("/tmp/" + os.environ["MARKER"])
        open("/tmp/" + os.environ["MARKER"], "w").close()
        time.sleep(60 if first else 0)
        def handler(event, context):
            os.unlink("/tmp/" + os.environ["MARKER"])
            return "at last"
    """
    marker = f"process-executor-{localstack.port}"
    function = localstack.deploy(code, Environment={"Variables": {"MARKER": marker}})
    result = function.invoke()
    assert result.payload == "at last"
    assert "\tPhase: init\tStatus: timeout\n" in result.log
    assert "Init Duration" not in result.report


def test_init_that_never_ends_is_a_time_out_of_the_function(localstack: LocalStack) -> None:
    result = localstack.deploy("import time; time.sleep(60)", Timeout=1).invoke()
    assert result.payload["errorType"] == "Sandbox.Timedout"
    assert result.payload["errorMessage"].endswith(" Error: Task timed out after 1.00 seconds")
    assert "\tPhase: init\tStatus: timeout\n" in result.log
    assert "\tPhase: invoke\tStatus: timeout\n" in result.log


def test_process_that_ends_while_idle_is_replaced(localstack: LocalStack) -> None:
    code = """
        import os, threading
        def handler(event, context):
            if event:
                threading.Timer(0.1, os._exit, [7]).start()
            return os.getpid()
    """
    function = localstack.deploy(code)
    first = function.invoke({"end": True}).payload
    eventually(lambda: not is_running(first))
    second = function.invoke()
    assert second.error is None
    assert second.payload != first
