"""The process supervisor of a stack: supervisord, spoken to over its socket."""

import hashlib
import os
import shlex
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import not_
from pathlib import Path
from typing import Any

import psutil
from supervisor.states import ProcessStates
from supervisor.xmlrpc import Faults, SupervisorTransport
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from stack.context import Context
from stack.errors import StackError
from stack.leftovers import MARK
from stack.parts import Part
from stack.rendering import render
from stack.settings import ROOT
from stack.system_packages import search_path

POLL_S = 0.1
START_DEADLINE_S = 15
STOP_DEADLINE_S = 60
DEAD_STATES = frozenset({ProcessStates.BACKOFF, ProcessStates.FATAL, ProcessStates.EXITED})
INHERITED = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR")
"""What parts see of the caller's environment: nothing that could steer them apart from the settings."""
SOCKET_PATH_LIMIT = 100
"""Longest path of a Unix socket that every system takes, in bytes."""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What supervisord says of one part."""

    name: str
    state: str
    pid: int
    uptime_s: int
    reason: str
    is_dead: bool


class Supervisor:
    """One stack's supervisord; starting it is idempotent."""

    def __init__(self, context: Context) -> None:
        """Take the socket and configuration from the stack's folder."""
        self._context = context
        self._socket = context.paths.run / "supervisor.sock"
        self._pid_file = context.paths.run / "supervisord.pid"

    def is_running(self) -> bool:
        """Tell whether this stack's supervisord answers."""
        try:
            self._call("getState")
        except (OSError, xmlrpc.client.Error):
            return False
        return True

    def ensure(self, parts: Iterable[Part]) -> list[str]:
        """Start supervisord or give it the current parts.

        Returns:
            names of the parts whose definition changed; they are stopped now.
        """
        configuration = self._render(parts)
        if not self.is_running():
            self._start(configuration)
            return []
        [[added, changed, removed]] = self._call("reloadConfig")
        for name in (*changed, *removed):
            self._call("stopProcessGroup", name)
            self._call("removeProcessGroup", name)
        for name in (*added, *changed):
            self._call("addProcessGroup", name)
        return list(changed)

    def start(self, name: str) -> None:
        """Start a part without waiting for it; one that runs is left alone.

        One that failed waits longer each time before it is tried again: it is tried now.
        """
        if self.state_of(name).state == "BACKOFF":
            self._stop(name, wait=True)
        try:
            self._call("startProcess", name, False)  # noqa: FBT003 - positional in XML-RPC
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != Faults.ALREADY_STARTED:
                raise StackError(
                    name, fault.faultString, way_out="look at the log", log=self._context.paths.log_of(name)
                ) from fault

    def state_of(self, name: str) -> ProcessState:
        """Return what supervisord says of one part."""
        return _process_state(self._call("getProcessInfo", name))

    def states(self) -> list[ProcessState]:
        """Return the state of every part; none where supervisord does not run."""
        if not self.is_running():
            return []
        return [_process_state(info) for info in self._call("getAllProcessInfo")]

    def shut_down(self, last: frozenset[str]) -> None:
        """Stop every part and supervisord itself; returns when it is gone.

        Args:
            last: parts that stop only when all others have.

        Raises:
            StackError: it is still there after the deadline.
        """
        if not self.is_running():
            return
        process = psutil.Process(self._call("getPID"))
        self._stop_at_once([state.name for state in self.states() if state.pid and state.name not in last])
        self._call("shutdown")
        try:
            process.wait(timeout=STOP_DEADLINE_S)
        except psutil.TimeoutExpired as error:
            raise StackError(
                "supervisor",
                f"process {process.pid} did not stop in {STOP_DEADLINE_S} s",
                way_out="see which part hangs with make status",
                log=self._context.paths.log_of("supervisor"),
            ) from error

    def _stop_at_once(self, names: list[str]) -> None:
        """Stop parts together; supervisord's own shutdown would wait for one after the other."""
        for name in names:
            self._stop(name, wait=False)
        for attempt in Retrying(
            stop=stop_after_delay(STOP_DEADLINE_S),
            wait=wait_fixed(POLL_S),
            retry=retry_if_result(bool),
            retry_error_callback=lambda _: None,
        ):
            with attempt:
                left = [name for name in names if self.state_of(name).pid]
            attempt.retry_state.set_result(left)

    def _stop(self, name: str, *, wait: bool) -> None:
        """Stop one part; it may have ended by itself a moment ago."""
        try:
            self._call("stopProcess", name, wait)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != Faults.NOT_RUNNING:
                raise

    def _call(self, method: str, *words: object) -> Any:  # noqa: ANN401 - XML-RPC has no static types
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self._socket}")
        with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as server:
            return getattr(server.supervisor, method)(*words)

    def _render(self, parts: Iterable[Part]) -> Path:
        if len(str(self._socket).encode()) > SOCKET_PATH_LIMIT:
            reason = f"the path of its socket is longer than {SOCKET_PATH_LIMIT} bytes: {self._socket}"
            raise StackError("supervisor", reason, way_out="set STATE_DIR in .env to a shorter path")
        return render(
            self._context,
            "supervisor/supervisord.conf.j2",
            self._context.paths.rendered / "supervisord.conf",
            socket=self._socket,
            pid_file=self._pid_file,
            is_root=os.geteuid() == 0,
            programs=[_program(part, self._context) for part in parts],
        )

    def _environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return inherited | {"PATH": search_path(), MARK: str(self._context.paths.state)}

    def _start(self, configuration: Path) -> None:
        self._socket.unlink(missing_ok=True)
        log = self._context.paths.log_of("supervisor")
        started = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)],
            cwd=ROOT,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if started.returncode != 0:
            reason = (started.stderr or started.stdout).strip() or f"exit code {started.returncode}"
            raise StackError("supervisor", reason, way_out="look at its log", log=log)
        looking = Retrying(
            stop=stop_after_delay(START_DEADLINE_S),
            wait=wait_fixed(POLL_S),
            retry=retry_if_result(not_),
            retry_error_callback=lambda _: False,
        )
        if not looking(self.is_running):
            reason = f"it does not answer {START_DEADLINE_S} s after its start"
            raise StackError("supervisor", reason, way_out="look at its log", log=log)


def _process_state(info: dict[str, Any]) -> ProcessState:
    return ProcessState(
        name=info["name"],
        state=info["statename"],
        pid=info["pid"],
        uptime_s=max(0, info["now"] - info["start"]) if info["pid"] else 0,
        reason=info["spawnerr"] or info["description"],
        is_dead=info["state"] in DEAD_STATES,
    )


def _program(part: Part, context: Context) -> dict[str, object]:
    """Return a part in supervisord's terms; the digest makes a changed file a changed program."""
    environment = part.environment | {
        MARK: str(context.paths.state),
        "STACK_PART_DIGEST": digest_of(part.watched),
    }
    return {
        "name": part.name,
        "command": shlex.join(part.command).replace("%", "%%"),
        "environment": environment_line(environment),
        "user": part.user,
        "stop_signal": part.stop_signal,
        "stop_wait_s": part.stop_wait_s,
        "log": context.paths.log_of(part.name),
    }


def environment_line(environment: Mapping[str, str]) -> str:
    """Return variables as supervisord's configuration takes them: it reads no escapes but `%%`."""
    return ",".join(f'{name}="{value.replace("%", "%%")}"' for name, value in sorted(environment.items()))


def digest_of(paths: Iterable[Path]) -> str:
    """Return a digest of the content of files and, recursively, of folders; bytecode does not count."""
    digest = hashlib.sha256()
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file).encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()
