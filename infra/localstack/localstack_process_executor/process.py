"""One run of a function's process under its guard: start it, hear of its end, take its output."""

import contextlib
import fcntl
import json
import logging
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock, Thread

from localstack_process_executor.events import Exited

LOG = logging.getLogger(__name__)

GUARD = Path(__file__).with_name("guard.py")
READ_BYTES = 1 << 16
# Room for what a function writes while LocalStack is busy; the kernel's default is 64 KiB.
PIPE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What the guard starts. `limits` are soft and hard at once, by the names of the resource module."""

    argv: Sequence[str]
    environ: Mapping[str, str]
    cwd: str
    memory_bytes: int
    stop_grace_ms: int
    uid: int | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    remove: Sequence[str] = ()


class FunctionProcess:
    """A running guard with its function; `on_exit` is called once, when nothing of the two is left."""

    def __init__(
        self,
        spec: ProcessSpec,
        on_output: Callable[[bytes], None],
        on_exit: Callable[[Exited], None],
        lease_fds: Sequence[int] = (),
    ) -> None:
        self._on_output = on_output
        self._on_exit = on_exit
        self._output_lock = Lock()
        self._control_lock = Lock()
        self.pid: int | None = None
        self.peak_bytes = 0
        self._remove = tuple(spec.remove)
        self._messages: dict[str, object] = {}
        control_read, self._control_fd = os.pipe()
        self._status_fd, status_write = os.pipe()
        self._output_fd, output_write = os.pipe()
        os.set_blocking(self._output_fd, False)
        with contextlib.suppress(PermissionError):  # the per-user sum of pipe sizes may be used up: 64 KiB do
            fcntl.fcntl(self._output_fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        for_guard = (control_read, status_write, *lease_fds)
        try:
            self._guard = subprocess.Popen(  # noqa: S603 -- our own file under our own interpreter
                [sys.executable, "-I", "-S", str(GUARD), *map(str, for_guard)],
                stdin=subprocess.DEVNULL,
                stdout=output_write,
                stderr=output_write,
                pass_fds=for_guard,
                env={},
                cwd="/",
                start_new_session=True,
            )
        except OSError:
            for own_end in (self._control_fd, self._status_fd, self._output_fd):
                os.close(own_end)
            raise
        finally:
            for child_end in (control_read, status_write, output_write):
                os.close(child_end)
        self._tell(json.dumps(asdict(spec)).encode())
        Thread(target=self._watch, name=f"lambda-guard-{self._guard.pid}", daemon=True).start()

    def stop(self) -> None:
        """SIGTERM, the grace of the spec, SIGKILL."""
        self._tell(b"stop")

    def kill(self) -> None:
        """SIGKILL to the whole tree at once."""
        self._tell(b"kill")

    def drain(self) -> None:
        """Take all output that the function has written so far."""
        with self._output_lock:
            while (chunk := self._read_output()) is not None:
                self._on_output(chunk)

    def memory_high_water_bytes(self) -> int:
        """The most that was resident at once, as far as is known now."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_bytes()
        except OSError:
            return self.peak_bytes
        _, found, after = status.partition(b"VmHWM:")
        return max(self.peak_bytes, int(after.split(maxsplit=1)[0]) * 1024) if found else self.peak_bytes

    def _tell(self, line: bytes) -> None:
        # After the guard's end there is nobody to tell, and the watch says so to whoever waits.
        with self._control_lock, contextlib.suppress(OSError):
            os.write(self._control_fd, line + b"\n")

    def _read_output(self) -> bytes | None:
        try:
            return os.read(self._output_fd, READ_BYTES) or None
        except (BlockingIOError, OSError):
            return None

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._status_fd, select.POLLIN)
        poll.register(self._output_fd, select.POLLIN)
        buffer = b""
        while True:
            ready = dict(poll.poll())
            if self._output_fd in ready:
                self.drain()
                if not ready[self._output_fd] & select.POLLIN:
                    poll.unregister(self._output_fd)
            if self._status_fd in ready:
                chunk = os.read(self._status_fd, READ_BYTES)
                if not chunk:
                    break
                *lines, buffer = (buffer + chunk).split(b"\n")
                for line in lines:
                    self._hear(json.loads(line))
        self._finish()

    def _hear(self, message: dict[str, object]) -> None:
        self._messages |= message
        self.pid = self._number("pid")
        self.peak_bytes = self._number("peak_bytes") or 0
        if "over_memory" in message:
            self.drain()
            self._on_exit(self._exited())

    def _finish(self) -> None:
        self._guard.wait()
        self.drain()
        if "over_memory" not in self._messages:
            self._do_for_dead_guard()
            self._on_exit(Exited(signal=signal.SIGKILL))
        os.close(self._status_fd)
        with self._output_lock:
            os.close(self._output_fd)
            self._output_fd = -1
        with self._control_lock:
            os.close(self._control_fd)
            self._control_fd = -1

    def _do_for_dead_guard(self) -> None:
        """Its function died with it; what is left of the function's own group and folders goes too."""
        LOG.warning("the guard of process %s was killed", self.pid)
        if self.pid is not None:
            with contextlib.suppress(
                ProcessLookupError, PermissionError
            ):  # gone already, or not ours any more
                os.killpg(self.pid, signal.SIGKILL)
        for folder in self._remove:
            shutil.rmtree(folder, ignore_errors=True)

    def _exited(self) -> Exited:
        exec_error = self._messages.get("exec_error")
        return Exited(
            exit_code=self._number("exit_code"),
            signal=self._number("signal"),
            over_memory=self._messages.get("over_memory") is True,
            exec_error=str(exec_error) if exec_error else None,
        )

    def _number(self, name: str) -> int | None:
        number = self._messages.get(name)
        return number if isinstance(number, int) else None
