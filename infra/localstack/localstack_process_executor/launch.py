"""Puts one run of a function together: its Runtime API, its process under a guard, its folders and user."""

import resource
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from threading import Event

from localstack_process_executor.code_store import CodeFolders
from localstack_process_executor.events import Event as FunctionEvent
from localstack_process_executor.events import Exited, Invocation
from localstack_process_executor.function_environ import Given, function_environ
from localstack_process_executor.process import FunctionProcess, ProcessSpec
from localstack_process_executor.runtime_api import RuntimeApi
from localstack_process_executor.runtimes import PythonRuntime, Runtime
from localstack_process_executor.uid_pool import UidLease

# AWS's limits of an execution environment.
OPEN_FILES = 1024
PROCESSES_AND_THREADS = 1024
MIB = 1024 * 1024
PRIVATE_FOLDER = 0o700
BOOTSTRAP_PLACES_TEXT = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """All that is known of an environment before its first process starts."""

    runtime: Runtime
    folders: CodeFolders
    handler: str
    given: Given
    memory_size_mb: int
    stop_grace_ms: int
    response_limit_bytes: int
    temporary_root: Path
    lease: UidLease | None


class FunctionRun:
    """One process with its Runtime API: a `Run` of the sandbox."""

    def __init__(
        self, plan: LaunchPlan, on_output: Callable[[bytes], None], events: SimpleQueue[FunctionEvent]
    ) -> None:
        uid = plan.lease.uid if plan.lease else None
        temporary = _private_folder(plan.temporary_root, uid)
        self._gone = Event()
        self._api = RuntimeApi(events.put, uid, plan.response_limit_bytes)
        try:
            self._process = FunctionProcess(
                _spec(plan, self._api.address, temporary),
                on_output,
                self._on_exit(plan, events),
                (plan.lease.lock.fileno(),) if plan.lease else (),
            )
        except OSError:
            self._api.close()
            shutil.rmtree(temporary, ignore_errors=True)
            raise

    @property
    def pid(self) -> int | None:
        """The function's own process."""
        return self._process.pid

    def offer(self, invocation: Invocation) -> None:
        """Hand over the next event."""
        self._api.offer(invocation)

    def has_taken(self, invocation: Invocation) -> bool:
        """Whether the function has seen this event."""
        return self._api.has_taken(invocation)

    def drain(self) -> None:
        """Take all output written so far."""
        self._process.drain()

    def end(self, *, at_once: bool) -> None:
        """Kill, or stop with the grace."""
        if at_once:
            self._process.kill()
        else:
            self._process.stop()

    def memory_high_water_bytes(self) -> int:
        """The most that was resident at once."""
        return self._process.memory_high_water_bytes()

    def wait_until_gone(self, timeout_s: float) -> bool:
        """Whether the last process has ended."""
        return self._gone.wait(timeout_s)

    def _on_exit(self, plan: LaunchPlan, events: SimpleQueue[FunctionEvent]) -> Callable[[Exited], None]:
        api = self._api

        def tell(exited: Exited) -> None:
            api.close()
            self._gone.set()
            events.put(_in_aws_words(plan, exited))

        return tell


def _private_folder(root: Path, uid: int | None) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tmp-", dir=root))
    folder.chmod(PRIVATE_FOLDER)
    if uid is not None:
        shutil.chown(folder, uid, uid)
    return folder


def _spec(plan: LaunchPlan, runtime_api: str, temporary: Path) -> ProcessSpec:
    limits = {"RLIMIT_NOFILE": OPEN_FILES, "RLIMIT_CORE": 0}
    if plan.lease:
        # Counted per user: it means something only for a user that runs nothing else.
        limits["RLIMIT_NPROC"] = PROCESSES_AND_THREADS
    hard_open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard_open_files != resource.RLIM_INFINITY:
        limits["RLIMIT_NOFILE"] = min(OPEN_FILES, hard_open_files)
    return ProcessSpec(
        argv=_argv(plan),
        environ=function_environ(plan.given, plan.runtime, plan.folders, temporary, runtime_api),
        cwd=str(plan.folders.task),
        memory_bytes=plan.memory_size_mb * MIB,
        stop_grace_ms=plan.stop_grace_ms,
        uid=plan.lease.uid if plan.lease else None,
        limits=limits,
        remove=[str(temporary)],
    )


def _in_aws_words(plan: LaunchPlan, exited: Exited) -> Exited:
    """What could not be started, by the paths that it has on AWS."""
    if exited.exec_error is None:
        return exited
    if not Path(_argv(plan)[0]).exists():
        return replace(exited, exec_error=BOOTSTRAP_PLACES_TEXT)
    text = exited.exec_error.replace(str(plan.folders.task), "/var/task").replace(
        str(plan.folders.opt), "/opt"
    )
    return replace(exited, exec_error=text)


def _argv(plan: LaunchPlan) -> list[str]:
    if isinstance(plan.runtime, PythonRuntime):
        # -s: what the machine's user has installed for itself is no part of the function.
        return [str(plan.runtime.interpreter), "-s", "-m", "awslambdaric", plan.handler]
    for folder in (plan.folders.task, plan.folders.opt):
        if (folder / "bootstrap").exists():
            return [str(folder / "bootstrap")]
    return [str(plan.folders.task / "bootstrap")]
