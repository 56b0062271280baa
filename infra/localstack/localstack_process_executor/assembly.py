"""From LocalStack's function version to a sandbox that runs it: runtime, user, code, limits, log."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from localstack import config

from localstack_process_executor.attachment import attached_log_writer
from localstack_process_executor.cloudwatch import LogStream
from localstack_process_executor.function_environ import Given
from localstack_process_executor.isolation import closed_folder
from localstack_process_executor.launch import FunctionRun, LaunchPlan
from localstack_process_executor.log_lines import LogLines
from localstack_process_executor.platform_log import JsonPlatformLog, TextPlatformLog
from localstack_process_executor.runtimes import Runtime, program_version
from localstack_process_executor.sandbox import FunctionLimits, RuntimeVersion, Sandbox
from localstack_process_executor.uid_pool import UidLease
from localstack_process_executor.version_code import VersionCode
from localstack_process_executor.wiring import parts

PROVISIONED = "provisioned-concurrency"
# AWS gives the init phase of provisioned concurrency this long, or the function's Timeout if longer.
PROVISIONED_INIT_TIMEOUT_S = 130.0
END_WAIT_MARGIN_S = 2.0


@cache
def version_code() -> VersionCode:
    """The code of the versions of this LocalStack."""
    return VersionCode(parts().code)


@dataclass(frozen=True, slots=True)
class Assembled:
    """A sandbox and what it holds until it is gone."""

    sandbox: Sandbox
    lease: UidLease | None
    code_key: str

    def give_back(self) -> None:
        """Wait for the end of a stopped sandbox, take its last words, return user and code."""
        self.sandbox.wait_until_gone(parts().settings.stop_grace_ms / 1000 + END_WAIT_MARGIN_S)
        self.sandbox.finish_log()
        parts().code.release(self.code_key)
        if self.lease is not None:
            self.lease.release()


def assemble(function_version: Any, env_vars: dict[str, Any]) -> Assembled:  # noqa: ANN401 -- LocalStack has no types
    """Build the sandbox of one environment; nothing runs yet."""
    shared, configuration = parts(), function_version.config
    runtime = shared.runtimes.runtime(str(configuration.runtime))
    lease = _user(function_version, runtime)
    code_key, folders = version_code().acquire(function_version)
    plan = LaunchPlan(
        runtime=runtime,
        folders=folders,
        handler=configuration.handler or "",
        given=Given(env_vars, configuration.environment or {}),
        memory_size_mb=configuration.memory_size,
        stop_grace_ms=shared.settings.stop_grace_ms,
        response_limit_bytes=config.LAMBDA_LIMITS_MAX_FUNCTION_PAYLOAD_SIZE_BYTES,
        temporary_root=shared.temporary_root,
        lease=lease,
    )
    lines = LogLines(_log_sink(function_version.id, env_vars))
    sandbox = Sandbox(
        lambda events: FunctionRun(plan, lines.output, events),
        _limits(function_version, env_vars, plan),
        lines,
        JsonPlatformLog() if env_vars.get("AWS_LAMBDA_LOG_FORMAT") == "JSON" else TextPlatformLog(),
        _runtime_version(runtime, function_version.id.region),
    )
    return Assembled(sandbox, lease, code_key)


def _user(function_version: Any, runtime: Runtime) -> UidLease | None:  # noqa: ANN401 -- as above
    """A user for this environment alone; code that is used in place (hot reload) has to be open to it."""
    isolation, code = parts().isolation, function_version.config.code
    if isolation.uids is None or not isolation.verdict(runtime).own_user:
        return None
    if code.is_hot_reloading() and closed_folder(Path(code.get_unzipped_code_location())) is not None:
        return None
    return isolation.uids.lease()


def is_provisioned(env_vars: dict[str, Any]) -> bool:
    """Whether LocalStack starts the environment ahead of any call."""
    return env_vars.get("AWS_LAMBDA_INITIALIZATION_TYPE") == PROVISIONED


def _limits(function_version: Any, env_vars: dict[str, Any], plan: LaunchPlan) -> FunctionLimits:  # noqa: ANN401
    timeout_s = float(function_version.config.timeout)
    long_init_s = max(PROVISIONED_INIT_TIMEOUT_S, timeout_s)
    return FunctionLimits(
        timeout_s=timeout_s,
        memory_size_mb=plan.memory_size_mb,
        init_timeout_s=long_init_s if is_provisioned(env_vars) else parts().settings.init_timeout_s,
        response_limit_bytes=plan.response_limit_bytes,
        version=function_version.id.qualifier,
    )


def _runtime_version(runtime: Runtime, region: str) -> RuntimeVersion:
    """In the place of AWS's own: which program of this machine runs the function."""
    name = runtime.name.replace("python", "python:").replace("provided.", "provided:")
    return RuntimeVersion(f"{name}.process", f"arn:aws:lambda:{region}::runtime:{program_version(runtime)}")


def _log_sink(version: Any, env_vars: dict[str, Any]) -> Callable[[list[str]], None]:  # noqa: ANN401 -- as above
    log_file, writer = parts().log_file, attached_log_writer()
    group, name = env_vars["AWS_LAMBDA_LOG_GROUP_NAME"], env_vars["AWS_LAMBDA_LOG_STREAM_NAME"]
    to_cloudwatch = writer.to(LogStream(version.account, version.region, group, name)) if writer else None

    def sink(lines: list[str]) -> None:
        log_file.append(version.function_name, lines)
        if to_cloudwatch is not None:
            to_cloudwatch(lines)

    return sink
