"""LocalStack's RuntimeExecutor over our sandbox: the one class that its Lambda service sees."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from localstack import config
from localstack.aws.api.lambda_ import PackageType, TooManyRequestsException
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException, RuntimeExecutor

from localstack_process_executor import aws_errors
from localstack_process_executor.attachment import attached_log_writer
from localstack_process_executor.cloudwatch import LogStream
from localstack_process_executor.errors import UnsupportedRuntimeError
from localstack_process_executor.events import Invocation
from localstack_process_executor.function_environ import Given
from localstack_process_executor.launch import FunctionRun, LaunchPlan
from localstack_process_executor.log_lines import LogLines
from localstack_process_executor.platform_log import JsonPlatformLog, TextPlatformLog
from localstack_process_executor.runtimes import program_version
from localstack_process_executor.sandbox import Events, FunctionLimits, Outcome, RuntimeVersion, Sandbox
from localstack_process_executor.settings import PREFIX
from localstack_process_executor.version_code import VersionCode
from localstack_process_executor.wiring import parts

if TYPE_CHECKING:
    from localstack_process_executor.uid_pool import UidLease

PROVISIONED = "provisioned-concurrency"
# AWS gives the init phase of provisioned concurrency this long, or the function's Timeout if longer.
PROVISIONED_INIT_TIMEOUT_S = 130.0
END_WAIT_MARGIN_S = 2.0


@cache
def version_code() -> VersionCode:
    """The code of the versions of this LocalStack."""
    return VersionCode(parts().code)


class ProcessRuntimeExecutor(RuntimeExecutor):
    """One execution environment: a function's process under a guard."""

    def __init__(self, id: str, function_version: Any) -> None:  # noqa: A002, ANN401 -- LocalStack's signature
        super().__init__(id=id, function_version=function_version)
        self.client_context: str | None = None
        self._parts = parts()
        self._sandbox: Sandbox | None = None
        self._run: FunctionRun | None = None
        self._lease: UidLease | None = None
        self._code_key: str | None = None
        self._state = "starting"
        self._lock = Lock()
        self._ended = False
        self._end_after_invocation = False
        self._refused = False
        self._invocations = 0
        self._started_at = datetime.now(UTC)

    def start(self, env_vars: dict[str, Any]) -> None:
        """The init phase. On demand the first invocation tries again and tells a failure, as on AWS."""
        if not self._parts.registry.admit(self.id, self):
            # Told by `invoke`, where LocalStack passes a service exception on to the caller as it is.
            self._refused = True
            return
        provisioned = env_vars.get("AWS_LAMBDA_INITIALIZATION_TYPE") == PROVISIONED
        sandbox = self._sandbox = self._new_sandbox(env_vars, provisioned=provisioned)
        self._parts.registry.count("cold_starts")
        failure = sandbox.start()
        if failure is not None:
            self._parts.registry.count("init_errors")
        if sandbox.stopped:
            raise LambdaRuntimeException("the environment was stopped while it started")
        if failure is not None and provisioned:
            raise StatusErrorException("init failed", payload=failure.payload)
        self._state = "idle"

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run one invocation; every end that AWS documents is a result, not an exception."""
        if self._refused or self._sandbox is None:
            cap = self._parts.registry.max_environments
            raise TooManyRequestsException(
                f"Rate Exceeded: {PREFIX}MAX_ENVIRONMENTS={cap} environments exist",
                Reason="ConcurrentInvocationLimitExceeded",
                Type="User",
            )
        self._state = "busy"
        try:
            outcome = self._sandbox.invoke(self._invocation(payload))
        finally:
            self._after_invocation()
        self._count(outcome)
        return InvocationResult(
            request_id=payload["invoke-id"],
            payload=outcome.payload,
            is_error=outcome.failure is not None,
            logs=outcome.logs,
        )

    def stop(self) -> None:
        """End the environment; a running invocation ends first, on the code it began with, as on AWS."""
        with self._lock:
            if self._state == "busy" and not self._parts.registry.shutting_down:
                self._end_after_invocation = True
                return
        self.end_now()

    def end_now(self) -> None:
        """SIGTERM, the grace, SIGKILL; what the environment held is given back once it is gone."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
            self._state = "stopping"
        if self._sandbox is not None:
            self._sandbox.stop(at_once=False)
        Thread(target=self._give_back, name=f"lambda-end-{self.id}", daemon=True).start()

    def describe(self) -> dict[str, object]:
        """This environment in the status endpoint."""
        sandbox = self._sandbox
        version = self.function_version.id
        return {
            "id": self.id,
            "function": version.function_name,
            "version": version.qualifier,
            "pid": self._run.pid if self._run else None,
            "uid": self._lease.uid if self._lease else None,
            "state": self._state,
            "started_at": self._started_at.isoformat(),
            "invocations": self._invocations,
            "max_memory_bytes": sandbox.max_memory_bytes if sandbox else 0,
            "init_ms": round(sandbox.init_ms, 2) if sandbox and sandbox.init_ms is not None else None,
        }

    def get_address(self) -> str:
        """Where functions run: here."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """The host by which a function reaches LocalStack."""
        host = config.GATEWAY_LISTEN[0].host
        return str(config.HOSTNAME_FROM_LAMBDA or ("127.0.0.1" if host in {"", "0.0.0.0", "::"} else host))  # noqa: S104

    def get_runtime_endpoint(self) -> str:
        """LocalStack's callback routes are not used: results come back through this object."""
        return ""

    def get_logs(self) -> str:
        """For LocalStack's debug output after a failed start; the lines themselves are in the log already."""
        return f"see the log group of {self.function_version.id.function_name}"

    @classmethod
    def prepare_version(cls, function_version: Any) -> None:  # noqa: ANN401 -- LocalStack has no types
        """Refuse what cannot run, with the reason in the function's StateReason; unpack what can."""
        configuration = function_version.config
        if configuration.package_type != PackageType.Zip:
            raise UnsupportedRuntimeError("container images are not supported by the process executor")
        parts().runtimes.runtime(str(configuration.runtime))
        version_code().prepare(function_version)

    @classmethod
    def cleanup_version(cls, function_version: Any) -> None:  # noqa: ANN401 -- LocalStack has no types
        """Let go of the version's code; environments that still run keep it."""
        version_code().clean_up(function_version)

    @classmethod
    def validate_environment(cls) -> bool:
        """Nothing to download and no daemon to reach; wrong settings are refused at start-up."""
        return True

    def _new_sandbox(self, env_vars: dict[str, Any], *, provisioned: bool) -> Sandbox:
        configuration, version = self.function_version.config, self.function_version.id
        runtime = self._parts.runtimes.runtime(str(configuration.runtime))
        uids = self._parts.isolation.uids
        if uids is not None and self._parts.isolation.verdict(runtime).own_user:
            self._lease = uids.lease()
        self._code_key, folders = version_code().acquire(self.function_version)
        settings = self._parts.settings
        plan = LaunchPlan(
            runtime=runtime,
            folders=folders,
            handler=configuration.handler or "",
            given=Given(env_vars, configuration.environment or {}),
            memory_size_mb=configuration.memory_size,
            stop_grace_ms=settings.stop_grace_ms,
            response_limit_bytes=config.LAMBDA_LIMITS_MAX_FUNCTION_PAYLOAD_SIZE_BYTES,
            temporary_root=self._parts.temporary_root,
            lease=self._lease,
        )
        lines = LogLines(self._log_sink(env_vars))

        def start_run(events: Events) -> FunctionRun:
            self._run = FunctionRun(plan, lines.output, events)
            return self._run

        long_init_s = max(PROVISIONED_INIT_TIMEOUT_S, configuration.timeout)
        return Sandbox(
            start_run,
            FunctionLimits(
                timeout_s=configuration.timeout,
                memory_size_mb=configuration.memory_size,
                init_timeout_s=long_init_s if provisioned else settings.init_timeout_s,
                response_limit_bytes=plan.response_limit_bytes,
                version=version.qualifier,
            ),
            lines,
            JsonPlatformLog() if env_vars.get("AWS_LAMBDA_LOG_FORMAT") == "JSON" else TextPlatformLog(),
            RuntimeVersion(
                f"{runtime.name.replace('python', 'python:').replace('provided.', 'provided:')}.process",
                f"arn:aws:lambda:{version.region}::runtime:{program_version(runtime)}",
            ),
        )

    def _log_sink(self, env_vars: dict[str, Any]) -> Callable[[list[str]], None]:
        version = self.function_version.id
        log_file, writer = self._parts.log_file, attached_log_writer()
        group, name = env_vars["AWS_LAMBDA_LOG_GROUP_NAME"], env_vars["AWS_LAMBDA_LOG_STREAM_NAME"]
        to_cloudwatch = writer.to(LogStream(version.account, version.region, group, name)) if writer else None

        def sink(lines: list[str]) -> None:
            log_file.append(version.function_name, lines)
            if to_cloudwatch is not None:
                to_cloudwatch(lines)

        return sink

    def _invocation(self, payload: dict[str, str]) -> Invocation:
        timeout_ms = self.function_version.config.timeout * 1000
        return Invocation(
            request_id=payload["invoke-id"],
            payload=payload["payload"].encode(),
            invoked_arn=payload["invoked-function-arn"],
            deadline_epoch_ms=int(time.time() * 1000) + timeout_ms,
            trace_id=payload["trace-id"],
            client_context=self.client_context,
        )

    def _after_invocation(self) -> None:
        with self._lock:
            self._invocations += 1
            if self._state == "busy":
                self._state = "idle"
            end = self._end_after_invocation
        if end:
            self.end_now()

    def _count(self, outcome: Outcome) -> None:
        names = ["invocations"]
        if failure := outcome.failure:
            names.append("errors")
            if failure.status == "timeout":
                names.append("timeouts")
            if failure.reported_type == aws_errors.OUT_OF_MEMORY:
                names.append("out_of_memory")
        self._parts.registry.count(*names)

    def _give_back(self) -> None:
        if self._sandbox is not None:
            self._sandbox.wait_until_gone(self._parts.settings.stop_grace_ms / 1000 + END_WAIT_MARGIN_S)
            self._sandbox.finish_log()
        if self._code_key is not None:
            self._parts.code.release(self._code_key)
        if self._lease is not None:
            self._lease.release()
        self._parts.registry.remove(self.id)
