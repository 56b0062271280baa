"""The lines that AWS itself writes around a function's own, as text or as JSON (LoggingConfig.LogFormat)."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from localstack_process_executor.aws_errors import FunctionFailure

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Report:
    """What one invocation cost; `init_ms` only where an init phase preceded it."""

    request_id: str
    duration_ms: float
    memory_size_mb: int
    max_memory_used_bytes: int
    init_ms: float | None = None
    failure: FunctionFailure | None = None

    @property
    def billed_ms(self) -> int:
        """AWS bills the init phase too, and rounds up."""
        return max(1, math.ceil(self.duration_ms + (self.init_ms or 0.0)))

    @property
    def max_memory_used_mb(self) -> int:
        """AWS shows whole megabytes and never more than there are."""
        return min(self.memory_size_mb, math.ceil(self.max_memory_used_bytes / MIB))


@dataclass(frozen=True, slots=True)
class InitReport:
    """How an init phase failed: in its own phase, or when it was tried again in the invoke phase."""

    init_ms: float
    phase: str
    status: str
    error_type: str | None


class PlatformLog(Protocol):
    """The platform's lines in one format."""

    def init_start(self, runtime_version: str, runtime_arn: str) -> str: ...  # noqa: D102 -- the protocol's docstring
    def init_report(self, report: InitReport) -> str: ...  # noqa: D102
    def start(self, request_id: str, version: str) -> str: ...  # noqa: D102
    def end(self, request_id: str) -> str: ...  # noqa: D102
    def report(self, report: Report) -> str: ...  # noqa: D102


class TextPlatformLog:
    """AWS's default format. An empty string stands for no line."""

    def init_start(self, runtime_version: str, runtime_arn: str) -> str:
        """Before the first code of the function runs."""
        return f"INIT_START Runtime Version: {runtime_version}\tRuntime Version ARN: {runtime_arn}"

    def init_report(self, report: InitReport) -> str:
        """After an init phase that failed."""
        error_type = f"\tError Type: {report.error_type}" if report.error_type else ""
        duration = f"INIT_REPORT Init Duration: {report.init_ms:.2f} ms"
        return f"{duration}\tPhase: {report.phase}\tStatus: {report.status}{error_type}"

    def start(self, request_id: str, version: str) -> str:
        """Before an invocation."""
        return f"START RequestId: {request_id} Version: {version}"

    def end(self, request_id: str) -> str:
        """After an invocation."""
        return f"END RequestId: {request_id}"

    def report(self, report: Report) -> str:
        """After END."""
        parts = [
            f"REPORT RequestId: {report.request_id}",
            f"Duration: {report.duration_ms:.2f} ms",
            f"Billed Duration: {report.billed_ms} ms",
            f"Memory Size: {report.memory_size_mb} MB",
            f"Max Memory Used: {report.max_memory_used_mb} MB",
        ]
        if report.init_ms is not None:
            parts.append(f"Init Duration: {report.init_ms:.2f} ms")
        parts += _status_parts(report.failure)
        return "\t".join([*parts, ""])


class JsonPlatformLog:
    """LogFormat JSON: one object a line, the types of AWS's telemetry schema."""

    def init_start(self, runtime_version: str, runtime_arn: str) -> str:
        """Before the first code of the function runs."""
        record = {"phase": "init", "runtimeVersion": runtime_version, "runtimeVersionArn": runtime_arn}
        return _event("platform.initStart", record)

    def init_report(self, report: InitReport) -> str:
        """After an init phase that failed."""
        record: dict[str, object] = {"phase": report.phase, "status": report.status}
        if report.error_type:
            record["errorType"] = report.error_type
        return _event("platform.initReport", record | {"metrics": {"durationMs": round(report.init_ms, 3)}})

    def start(self, request_id: str, version: str) -> str:
        """Before an invocation."""
        return _event("platform.start", {"requestId": request_id, "version": version})

    def end(self, request_id: str) -> str:  # noqa: ARG002 -- the text format's line has no JSON counterpart at INFO
        """Nothing: the report says it."""
        return ""

    def report(self, report: Report) -> str:
        """After an invocation."""
        metrics: dict[str, float] = {
            "durationMs": round(report.duration_ms, 3),
            "billedDurationMs": report.billed_ms,
            "memorySizeMB": report.memory_size_mb,
            "maxMemoryUsedMB": report.max_memory_used_mb,
        }
        if report.init_ms is not None:
            metrics["initDurationMs"] = round(report.init_ms, 3)
        failure = report.failure
        record: dict[str, object] = {
            "requestId": report.request_id,
            "metrics": metrics,
            "status": failure.status if failure else "success",
        }
        if failure and failure.status == "error":
            record["errorType"] = failure.reported_type or failure.error_type
        return _event("platform.report", record)


def utc_now_text() -> str:
    """The time as AWS writes it in log lines: 2026-01-02T03:04:05.678Z."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _status_parts(failure: FunctionFailure | None) -> list[str]:
    """AWS names a status for what the platform saw; a handler's own exception is a success to it."""
    if failure is None or (failure.log_text is None and not failure.reported_type):
        return []
    if failure.status == "timeout":
        return ["Status: timeout"]
    return [f"Status: {failure.status}", f"Error Type: {failure.reported_type or failure.error_type}"]


def _event(kind: str, record: Mapping[str, object]) -> str:
    return json.dumps({"time": utc_now_text(), "type": kind, "record": record}, separators=(",", ":"))
