"""One execution environment as AWS runs it: init, many invocations, start over after a crash (ADR 0001).

Stages: start (init phase, its own time limit) → invoke (with the init again, within the function's Timeout,
where it failed or the process is gone) → stop. An environment outlives its processes.
"""

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from localstack_process_executor import aws_errors
from localstack_process_executor.aws_errors import FunctionFailure
from localstack_process_executor.events import (
    Event,
    Exited,
    Failed,
    InitFailed,
    Invocation,
    Ready,
    Responded,
    TooLarge,
)
from localstack_process_executor.log_lines import LogLines
from localstack_process_executor.platform_log import InitReport, PlatformLog, Report, utc_now_text

# A kill is a matter of milliseconds. The guard tries for almost as long; a new process of this user must not
# start before that, since the guard ends everything that the user runs.
KILL_WAIT_S = 6.0
GIVE_UP_WAIT_S = 1.0


class Run(Protocol):
    """One process of the function with its Runtime API; its events go to the queue it was made with."""

    @property
    def pid(self) -> int | None: ...  # noqa: D102 -- the protocol's docstring
    def offer(self, invocation: Invocation) -> None: ...  # noqa: D102
    def has_taken(self, invocation: Invocation) -> bool: ...  # noqa: D102
    def drain(self) -> None: ...  # noqa: D102
    def end(self, *, at_once: bool) -> None: ...  # noqa: D102
    def wait_until_gone(self, timeout_s: float) -> bool: ...  # noqa: D102
    def memory_high_water_bytes(self) -> int: ...  # noqa: D102


type Events = queue.SimpleQueue[Event]


@dataclass(frozen=True, slots=True)
class FunctionLimits:
    """What the function's configuration and AWS allow it."""

    timeout_s: float
    memory_size_mb: int
    init_timeout_s: float
    response_limit_bytes: int
    version: str


@dataclass(frozen=True, slots=True)
class RuntimeVersion:
    """What INIT_START shows."""

    name: str
    arn: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one invocation. `logs` are the lines since the end of the one before."""

    payload: bytes
    logs: str
    failure: FunctionFailure | None = None


class Sandbox:
    """The environment's state over the runs of its function; one invocation at a time."""

    def __init__(
        self,
        start_run: Callable[[Events], Run],
        limits: FunctionLimits,
        lines: LogLines,
        platform: PlatformLog,
        runtime: RuntimeVersion,
    ) -> None:
        self._start_run = start_run
        self._limits = limits
        self._lines = lines
        self._platform = platform
        self._runtime = runtime
        self._run: Run | None = None
        self._events: Events = queue.SimpleQueue()
        self._init_ms_to_report: float | None = None
        self._run_max_memory_bytes = 0
        self._run_lock = Lock()
        self._stopped = False
        self.init_ms: float | None = None
        self.max_memory_bytes = 0

    def start(self) -> FunctionFailure | None:
        """The init phase. A failure is not the end: the first invocation tries again, as on AWS."""
        self._lines.platform(self._platform.init_start(self._runtime.name, self._runtime.arn))
        failure = self._initialise("init", time.monotonic() + self._limits.init_timeout_s, "")
        if failure is None:
            self._init_ms_to_report = self.init_ms
        return failure

    def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation to its end, whatever that is."""
        began_s = time.monotonic()
        deadline_s = began_s + self._limits.timeout_s
        self._notice_exit()
        failure: FunctionFailure | None = None
        if self._run is None:
            failure = self._initialise("invoke", deadline_s, invocation.request_id)
        self._lines.platform(self._platform.start(invocation.request_id, self._limits.version))
        end: Responded | FunctionFailure = failure or self._deliver(invocation, deadline_s)
        return self._close(invocation, end, (time.monotonic() - began_s) * 1000)

    @property
    def pid(self) -> int | None:
        """The function's process, where there is one."""
        run = self._run
        return run.pid if run else None

    @property
    def stopped(self) -> bool:
        """Whether the environment was told to end."""
        return self._stopped

    def stop(self, *, at_once: bool) -> None:
        """End the environment for good; a running invocation ends with the process."""
        with self._run_lock:
            self._stopped = True
            run = self._run
        if run is not None:
            run.end(at_once=at_once)

    def wait_until_gone(self, timeout_s: float) -> bool:
        """After `stop`: whether nothing of the function is left."""
        run = self._run
        return run is None or run.wait_until_gone(timeout_s)

    def finish_log(self) -> str:
        """After the end: what was written since the last invocation, the words at SIGTERM among it."""
        if self._run is not None:
            self._run.drain()
        return self._lines.take()

    def _initialise(self, phase: str, deadline_s: float, request_id: str) -> FunctionFailure | None:
        began_s = time.monotonic()
        with self._run_lock:
            if self._stopped:
                return aws_errors.exited(request_id, Exited(signal=15))
            self._events = queue.SimpleQueue()
            self._run_max_memory_bytes = 0
            self._run = self._start_run(self._events)
        failure = self._wait_for_ready(deadline_s, request_id)
        self.init_ms = (time.monotonic() - began_s) * 1000
        if failure is not None:
            self._end_run()
            self._lines.platform(self._platform.init_report(_init_report(self.init_ms, phase, failure)))
        return failure

    def _wait_for_ready(self, deadline_s: float, request_id: str) -> FunctionFailure | None:
        match self._next_event(deadline_s):
            case Ready():
                return None
            case InitFailed(payload, error_type):
                return FunctionFailure(payload, error_type, reported_type=error_type)
            case Exited() as exit_:
                return aws_errors.exited(request_id, exit_)
            case _:
                return aws_errors.timed_out(request_id, self._limits.timeout_s, utc_now_text())

    def _deliver(self, invocation: Invocation, deadline_s: float) -> Responded | FunctionFailure:
        run = self._current_run()
        run.offer(invocation)
        while True:
            match self._next_event(deadline_s):
                case Responded(request_id) as response if request_id == invocation.request_id:
                    return response
                case Failed(request_id, payload, error_type) if request_id == invocation.request_id:
                    return aws_errors.reported_by_runtime(payload, error_type)
                case TooLarge(request_id) if request_id == invocation.request_id:
                    self._let_client_give_up(deadline_s)
                    return aws_errors.response_too_large(self._limits.response_limit_bytes)
                case Exited() as exit_:
                    taken = run.has_taken(invocation)
                    self._end_run()
                    return self._after_exit(invocation, exit_, deadline_s, taken=taken)
                case None:
                    self._end_run()
                    return aws_errors.timed_out(invocation.request_id, self._limits.timeout_s, utc_now_text())
                case _:
                    continue

    def _let_client_give_up(self, deadline_s: float) -> None:
        """AWS's runtime clients end at a refused answer; their last words belong to this invocation."""
        if isinstance(self._next_event(min(deadline_s, time.monotonic() + GIVE_UP_WAIT_S)), Exited):
            self._end_run()

    def _after_exit(
        self, invocation: Invocation, exit_: Exited, deadline_s: float, *, taken: bool
    ) -> Responded | FunctionFailure:
        """A process that ended before it took the event cannot have acted on it: a new one may."""
        if taken or self._stopped:
            return aws_errors.exited(invocation.request_id, exit_)
        failure = self._initialise("invoke", deadline_s, invocation.request_id)
        return failure or self._deliver(invocation, deadline_s)

    def _close(self, invocation: Invocation, end: Responded | FunctionFailure, duration_ms: float) -> Outcome:
        failure = end if isinstance(end, FunctionFailure) else None
        if self._run is not None:
            self._run.drain()
            self._note_memory(self._run)
        if failure and failure.log_text:
            self._lines.platform(failure.log_text)
        if failure and failure.status == "timeout":
            # What comes after is our own clearing up.
            duration_ms = self._limits.timeout_s * 1000
        init_ms, self._init_ms_to_report = self._init_ms_to_report, None
        report = Report(
            invocation.request_id,
            duration_ms,
            self._limits.memory_size_mb,
            self._run_max_memory_bytes,
            init_ms,
            failure,
        )
        if ending := self._platform.end(invocation.request_id):
            self._lines.platform(ending)
        self._lines.platform(self._platform.report(report))
        return Outcome(end.payload, self._lines.take(), failure)

    def _next_event(self, deadline_s: float) -> Event | None:
        try:
            return self._events.get(timeout=max(0.0, deadline_s - time.monotonic()))
        except queue.Empty:
            return None

    def _notice_exit(self) -> None:
        """What came after the last answer: a function may end itself while it is idle."""
        while self._run is not None and not self._events.empty():
            if isinstance(self._events.get(), Exited):
                self._run.drain()
                self._run = None

    def _current_run(self) -> Run:
        if self._run is None:
            raise AssertionError("an invocation is delivered to an initialised run only")
        return self._run

    def _end_run(self) -> None:
        """Kill what is left, wait until it is gone, and take its last words."""
        run = self._current_run()
        self._note_memory(run)
        run.end(at_once=True)
        run.wait_until_gone(KILL_WAIT_S)
        run.drain()
        self._note_memory(run)
        self._run = None

    def _note_memory(self, run: Run) -> None:
        """The high-water mark of this process for the report, of the environment for the status."""
        self._run_max_memory_bytes = max(self._run_max_memory_bytes, run.memory_high_water_bytes())
        self.max_memory_bytes = max(self.max_memory_bytes, self._run_max_memory_bytes)


def _init_report(init_ms: float, phase: str, failure: FunctionFailure) -> InitReport:
    error_type = failure.reported_type or failure.error_type
    return InitReport(init_ms, phase, failure.status, None if failure.status == "timeout" else error_type)
