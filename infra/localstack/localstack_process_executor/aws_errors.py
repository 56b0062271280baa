"""The error documents that AWS's own service answers with, word for word, when the runtime cannot."""

import json
from dataclasses import dataclass

from localstack_process_executor.events import Exited

EXIT_ERROR = "Runtime.ExitError"
OUT_OF_MEMORY = "Runtime.OutOfMemory"
TIMED_OUT = "Sandbox.Timedout"
INVALID_ENTRYPOINT = "Runtime.InvalidEntrypoint"
RESPONSE_TOO_LARGE = "Function.ResponseSizeTooLarge"

# The names that AWS's supervisor, a Go program, gives to signals.
SIGNAL_NAMES = {
    1: "hangup",
    2: "interrupt",
    3: "quit",
    4: "illegal instruction",
    5: "trace/breakpoint trap",
    6: "aborted",
    7: "bus error",
    8: "floating point exception",
    9: "killed",
    10: "user defined signal 1",
    11: "segmentation fault",
    12: "user defined signal 2",
    13: "broken pipe",
    14: "alarm clock",
    15: "terminated",
}


@dataclass(frozen=True, slots=True)
class FunctionFailure:
    """An invocation that did not end well: the answer's body, its type, and what the log says of it.

    `reported_type` is the REPORT line's, which tells running out of memory from other exits.
    """

    payload: bytes
    error_type: str
    status: str = "error"
    log_text: str | None = None
    reported_type: str | None = None


def reported_by_runtime(payload: bytes, error_type: str) -> FunctionFailure:
    """What the runtime itself posted goes to the caller as it is."""
    return FunctionFailure(payload, error_type)


def exited(request_id: str, exit_: Exited) -> FunctionFailure:
    """The process ended while it should have worked."""
    error_type = INVALID_ENTRYPOINT if exit_.exec_error else EXIT_ERROR
    message = f"RequestId: {request_id} Error: {exit_reason(exit_)}"
    return FunctionFailure(
        _document(error_type, message),
        error_type,
        log_text=f"{message}\n{error_type}",
        reported_type=reported_type(exit_),
    )


def exit_reason(exit_: Exited) -> str:
    """AWS's words for how a process ended."""
    if exit_.exec_error:
        return exit_.exec_error
    if exit_.signal:
        return (
            f"Runtime exited with error: signal: {SIGNAL_NAMES.get(exit_.signal, f'signal {exit_.signal}')}"
        )
    if exit_.exit_code:
        return f"Runtime exited with error: exit status {exit_.exit_code}"
    return "Runtime exited without providing a reason"


def reported_type(exit_: Exited) -> str:
    """The error type in REPORT and INIT_REPORT."""
    if exit_.over_memory:
        return OUT_OF_MEMORY
    return INVALID_ENTRYPOINT if exit_.exec_error else EXIT_ERROR


def timed_out(request_id: str, timeout_s: float, now_text: str) -> FunctionFailure:
    """The function ran longer than its Timeout."""
    text = f"Task timed out after {timeout_s:.2f} seconds"
    return FunctionFailure(
        _document(TIMED_OUT, f"RequestId: {request_id} Error: {text}"),
        TIMED_OUT,
        status="timeout",
        log_text=f"{now_text} {request_id} {text}",
    )


def response_too_large(limit_bytes: int) -> FunctionFailure:
    """The answer is over AWS's limit."""
    message = f"Response payload size exceeded maximum allowed payload size ({limit_bytes} bytes)."
    document = json.dumps({"errorMessage": message, "errorType": RESPONSE_TOO_LARGE}, separators=(",", ":"))
    return FunctionFailure(document.encode(), RESPONSE_TOO_LARGE)


def _document(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}, separators=(",", ":")).encode()
