"""The guard with real processes: it starts, watches, kills, and outlives LocalStack's side of the pipes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest
from localstack_harness import eventually, is_running
from localstack_process_executor.events import Exited
from localstack_process_executor.process import GUARD, FunctionProcess, ProcessSpec

PYTHON = str(Path(sys.executable).resolve())
WAIT_S = 10


class Started:
    """A guarded process of a test, with what it wrote and how it ended."""

    def __init__(
        self, code: str, folder: Path, *, memory_mb: int = 512, grace_ms: int = 200, **more: str
    ) -> None:
        self.output = bytearray()
        self._ends: SimpleQueue[Exited] = SimpleQueue()
        self.folder = folder / "removed-at-the-end"
        self.folder.mkdir()
        spec = ProcessSpec(
            argv=[more.get("program", PYTHON), "-I", "-S", "-c", code],
            environ={"ONLY": "this"},
            cwd=str(folder),
            memory_bytes=memory_mb * 1024 * 1024,
            stop_grace_ms=grace_ms,
            limits={"RLIMIT_NOFILE": 64, "RLIMIT_CORE": 0},
            remove=[str(self.folder)],
        )
        self.process = FunctionProcess(spec, self.output.extend, self._ends.put)

    def exited(self) -> Exited:
        try:
            return self._ends.get(timeout=WAIT_S)
        except Empty:
            raise AssertionError(f"still running, output: {self.output!r}") from None

    def lines(self, count: int) -> list[str]:
        eventually(lambda: self.output.count(b"\n") >= count)
        return self.output.decode().splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    assert not list(tmp_path.glob("removed-*")) or eventually(lambda: not list(tmp_path.glob("removed-*")))


def test_exit_status_output_and_environment(folder: Path) -> None:
    started = Started("import os, sys; print(sorted(os.environ)); sys.exit(7)", folder)
    assert started.exited() == Exited(exit_code=7)
    assert b"ONLY" in started.output
    assert b"PATH" not in started.output


def test_signal_is_told(folder: Path) -> None:
    assert Started("import os; os.kill(os.getpid(), 11)", folder).exited() == Exited(signal=11)


def test_program_that_cannot_start_is_told(folder: Path) -> None:
    exited = Started("", folder, program="/no/such/program").exited()
    assert exited.exec_error == "fork/exec /no/such/program: no such file or directory"


def test_stop_lets_it_end_by_itself_within_the_grace(folder: Path) -> None:
    code = """
import signal, sys, time
signal.signal(15, lambda *_: sys.exit(3))
print('up', flush=True)
time.sleep(60)
"""
    started = Started(code, folder)
    started.lines(1)
    started.process.stop()
    assert started.exited() == Exited(exit_code=3)


def test_stop_kills_what_does_not_end(folder: Path) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    started = Started(code, folder)
    started.lines(1)
    started.process.stop()
    assert started.exited() == Exited(signal=9)


def test_kill_ends_children_in_sessions_of_their_own(folder: Path) -> None:
    code = """
import os, subprocess, sys, time
sleeper = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"]
print(subprocess.Popen(sleeper, start_new_session=True).pid, flush=True)
pid = os.fork()
if pid == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    print(os.getpid(), flush=True)
time.sleep(60)
"""
    started = Started(code, folder)
    pids = [int(line) for line in started.lines(2)]
    started.process.kill()
    assert started.exited() == Exited(signal=9)
    assert not any(map(is_running, pids))


def test_memory_of_the_whole_tree_counts(folder: Path) -> None:
    code = """
import os, time
for _ in range(3):
    if os.fork() == 0:
        held = bytearray(60 * 1024 * 1024)
        break
time.sleep(60)
"""
    started = Started(code, folder, memory_mb=128)
    exited = started.exited()
    assert exited == Exited(signal=9, over_memory=True)
    assert started.process.peak_bytes > 128 * 1024 * 1024


def test_limits_and_session_are_set(folder: Path) -> None:
    code = (
        "import os, resource; print(resource.getrlimit(resource.RLIMIT_NOFILE), os.getsid(0) == os.getpid())"
    )
    started = Started(code, folder)
    started.exited()
    assert started.output == b"(64, 64) True\n"


def test_end_of_the_control_pipe_ends_everything(tmp_path: Path) -> None:
    """What happens when LocalStack is killed: its side of every pipe closes."""
    control_read, control_write = os.pipe()
    status_read, status_write = os.pipe()
    guard = subprocess.Popen(
        [PYTHON, "-I", "-S", str(GUARD), str(control_read), str(status_write)],
        pass_fds=(control_read, status_write),
        stdin=subprocess.DEVNULL,
    )
    os.close(control_read)
    os.close(status_write)
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    spec = {
        "argv": [PYTHON, "-I", "-S", "-c", code],
        "environ": {},
        "cwd": str(tmp_path),
        "memory_bytes": 1_000_000_000,
        "stop_grace_ms": 100,
        "uid": None,
        "limits": {},
        "remove": [],
    }
    os.write(control_write, json.dumps(spec).encode() + b"\n")
    assert b'"pid"' in os.read(status_read, 100)
    children = eventually(lambda: Path(f"/proc/{guard.pid}/task/{guard.pid}/children").read_text().split())
    os.close(control_write)
    os.close(status_read)
    assert guard.wait(timeout=2) is not None
    assert not is_running(int(children[0]))


def test_guard_that_cannot_start_leaves_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(FileNotFoundError):
        Started("", tmp_path)
    assert sorted(Path("/proc/self/fd").iterdir()) == before
