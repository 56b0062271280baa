"""LocalStack's RuntimeExecutor over our sandbox: the one class that its Lambda service sees."""

import time
from datetime import UTC, datetime
from threading import Lock, Thread
from typing import Any

from localstack import config
from localstack.aws.api.lambda_ import PackageType, TooManyRequestsException
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException, RuntimeExecutor

from localstack_process_executor import aws_errors
from localstack_process_executor.assembly import Assembled, assemble, is_provisioned, version_code
from localstack_process_executor.errors import UnsupportedRuntimeError
from localstack_process_executor.events import Invocation
from localstack_process_executor.metrics import PUT_AWAY, STOPPED
from localstack_process_executor.sandbox import Outcome
from localstack_process_executor.settings import PREFIX
from localstack_process_executor.wiring import parts

MS_PER_S = 1000


class ProcessRuntimeExecutor(RuntimeExecutor):
    """One execution environment: a function's process under a guard.

    States: waiting (no process: not started, or put away to make room) → starting → idle ⇄ busy → stopping.
    """

    def __init__(self, id: str, function_version: Any) -> None:  # noqa: A002, ANN401 -- LocalStack's signature
        super().__init__(id=id, function_version=function_version)
        self.client_context: str | None = None
        self._registry = parts().registry
        self._metrics = parts().metrics
        self._function_name = str(function_version.id.function_name)
        self._env_vars: dict[str, Any] = {}
        self._assembled: Assembled | None = None
        self._state = "waiting"
        self._lock = Lock()
        self._end_after_invocation = False
        self._invocations = 0
        self._started_at = datetime.now(UTC)
        self._idle_since_s: float | None = None

    def start(self, env_vars: dict[str, Any]) -> None:
        """The init phase. On demand the first invocation tries again and tells a failure, as on AWS."""
        self._env_vars = env_vars
        self._begin()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run one invocation; every end that AWS documents is a result, not an exception."""
        assembled = self._take_for_invocation()
        if assembled is None:
            self._registry.count("refused")
            # There was no room at the start, or there is none any more; LocalStack passes this on as it is.
            raise TooManyRequestsException(
                f"Rate Exceeded: {PREFIX}MAX_ENVIRONMENTS={self._registry.max_environments} are busy",
                Reason="ConcurrentInvocationLimitExceeded",
                Type="User",
            )
        began_s = time.monotonic()
        try:
            outcome = assembled.sandbox.invoke(self._invocation(payload))
        finally:
            self._after_invocation()
        self._metrics.invoked(self._function_name, time.monotonic() - began_s, outcome.failure)
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
            if self._state == "busy" and not self._registry.shutting_down:
                self._end_after_invocation = True
                return
        self.end_now()

    def end_now(self) -> None:
        """SIGTERM, the grace, SIGKILL; what the environment held is given back once it is gone."""
        with self._lock:
            assembled, self._assembled = self._assembled, None
            self._state = "stopping"
        if assembled is not None:
            self._end(assembled, STOPPED)

    def idle_since_s(self) -> float | None:
        """When it became free, by the monotonic clock; None while it may not be put away."""
        return self._idle_since_s if self._state == "idle" and not is_provisioned(self._env_vars) else None

    def put_away(self) -> bool:
        """End the process of an idle environment to make room; its next invocation is a cold start."""
        with self._lock:
            if self._state != "idle":
                return False
            assembled, self._assembled = self._assembled, None
            self._state = "waiting"
        if assembled is not None:
            self._end(assembled, PUT_AWAY)
        return True

    def describe(self) -> dict[str, object]:
        """This environment in the status endpoint."""
        assembled, version = self._assembled, self.function_version.id
        sandbox = assembled.sandbox if assembled else None
        return {
            "id": self.id,
            "function": version.function_name,
            "version": version.qualifier,
            "pid": sandbox.pid if sandbox else None,
            "uid": assembled.lease.uid if assembled and assembled.lease else None,
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
        everywhere = {"", "0.0.0.0", "::"}  # noqa: S104 -- recognised, not bound
        return str(config.HOSTNAME_FROM_LAMBDA or ("127.0.0.1" if host in everywhere else host))

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

    def _begin(self) -> None:
        """Admission, a new sandbox and its init phase; without room the state stays `waiting`."""
        if not self._registry.admit(self.id, self):
            return
        try:
            assembled = assemble(self.function_version, self._env_vars)
        except Exception:
            self._registry.remove(self.id)
            raise
        self._metrics.started(self._function_name)
        with self._lock:
            stopped = self._state == "stopping"
            if not stopped:
                self._assembled, self._state = assembled, "starting"
        if stopped:
            self._end(assembled, STOPPED)
            raise LambdaRuntimeException("the environment was stopped before it started")
        self._registry.count("cold_starts")
        failure = assembled.sandbox.start()
        self._metrics.initialised(self._function_name, (assembled.sandbox.init_ms or 0) / MS_PER_S)
        if failure is not None:
            self._registry.count("init_errors")
        if assembled.sandbox.stopped:
            raise LambdaRuntimeException("the environment was stopped while it started")
        if failure is not None and is_provisioned(self._env_vars):
            raise StatusErrorException("init failed", payload=failure.payload)
        self._become_idle()

    def _become_idle(self) -> None:
        with self._lock:
            if self._state in {"starting", "busy"}:
                self._state = "idle"
                self._idle_since_s = time.monotonic()

    def _take_for_invocation(self) -> Assembled | None:
        with self._lock:
            if self._state == "idle":
                self._state = "busy"
                return self._assembled
        if self._state == "waiting":
            self._begin()
            with self._lock:
                if self._state == "idle":
                    self._state = "busy"
                    return self._assembled
        return None

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
        self._invocations += 1
        self._become_idle()
        if self._end_after_invocation:
            self.end_now()

    def _count(self, outcome: Outcome) -> None:
        names = ["invocations"]
        if failure := outcome.failure:
            names.append("errors")
            if failure.status == "timeout":
                names.append("timeouts")
            if failure.reported_type == aws_errors.OUT_OF_MEMORY:
                names.append("out_of_memory")
        self._registry.count(*names)

    def _end(self, assembled: Assembled, reason: str) -> None:
        self._metrics.ended(self._function_name, reason)
        assembled.sandbox.stop(at_once=False)

        def give_back() -> None:
            assembled.give_back()
            # One that was put away is out of it already, and may be starting anew.
            if reason == STOPPED:
                self._registry.remove(self.id)

        Thread(target=give_back, name=f"lambda-end-{self.id}", daemon=True).start()
