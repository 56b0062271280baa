"""The parent of one function: starts it with its limits and leaves nothing of it behind (ADR 0001).

Run as `python -I -S guard.py <control fd> <status fd> <descriptors to keep...>` with the standard library
alone: LocalStack is threaded and may be killed at any moment, so what must hold without it is held here.
The control pipe carries a JSON line that describes the function, then commands; its end means that LocalStack
is gone.
"""

import ctypes
import json
import os
import resource
import select
import shutil
import signal
import sys
import time

PR_SET_PDEATHSIG = 1
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
LAST_CAPABILITY = 63

# The resident size is looked at this often while it changes, and less and less often while it does not.
SAMPLE_FAST_MS = 20
SAMPLE_SLOW_MS = 200
PEAK_STEP_BYTES = 1 << 20
# When LocalStack is gone its functions may still flush, but the tree must be gone within 2 s.
ORPHAN_GRACE_MS = 1000
FREEZE_ROUNDS = 50
KILL_DEADLINE_S = 5.0
PAGE_BYTES = resource.getpagesize()

_prctl = ctypes.CDLL(None, use_errno=True).prctl


class Guard:
    """Watches one function from its start to the end of the last of its processes."""

    def __init__(self, control_fd: int, status_fd: int) -> None:
        self._control_fd = control_fd
        self._status_fd = status_fd
        self._buffer = b""
        self._function_pid = 0
        self._exit_status: int | None = None
        self._kill_at_s: float | None = None
        self._over_memory = False
        self._peak_bytes = 0
        self._told_peak_bytes = 0

    def run(self) -> None:
        """Start the function, watch it, and report how it ended once nothing of it is left."""
        self._spec = json.loads(self._read_line())
        _prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._function_pid = os.fork()
        if self._function_pid == 0:
            self._become_function()
        _let_go_of_output()
        self._tell({"pid": self._function_pid})
        self._watch()
        self._kill_tree()
        self._tell_end()
        for folder in self._spec["remove"]:
            shutil.rmtree(folder, ignore_errors=True)

    def _read_line(self) -> bytes:
        while b"\n" not in self._buffer:
            chunk = os.read(self._control_fd, 1 << 16)
            if not chunk:
                sys.exit(0)
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _tell(self, message: dict[str, object]) -> None:
        try:
            os.write(self._status_fd, json.dumps(message).encode() + b"\n")
        except BrokenPipeError:
            # LocalStack is gone: the control pipe says so too, and nobody is left to tell.
            self._kill_at_s = time.monotonic()

    def _become_function(self) -> None:
        spec = self._spec
        try:
            _enter_limits(spec)
            os.chdir(spec["cwd"])
            os.execve(spec["argv"][0], spec["argv"], spec["environ"])  # noqa: S606 -- starting it is the purpose
        except OSError as error:
            self._tell(
                {"exec_error": f"fork/exec {spec['argv'][0]}: {(error.strerror or str(error)).lower()}"}
            )
        finally:
            os._exit(127)

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._control_fd, select.POLLIN)
        poll.register(os.pidfd_open(self._function_pid), select.POLLIN)
        sample_ms, resident_before = SAMPLE_FAST_MS, 0
        while self._exit_status is None:
            ready = {fd for fd, _ in poll.poll(self._wait_ms(sample_ms))}
            if self._control_fd in ready and not self._obey():
                poll.unregister(self._control_fd)
            self._reap()
            resident = self._look_at_memory()
            steady = abs(resident - resident_before) < PEAK_STEP_BYTES
            sample_ms = min(sample_ms * 2, SAMPLE_SLOW_MS) if steady else SAMPLE_FAST_MS
            resident_before = resident
            if self._over_memory or (self._kill_at_s is not None and time.monotonic() >= self._kill_at_s):
                return

    def _wait_ms(self, sample_ms: int) -> float:
        if self._kill_at_s is None:
            return sample_ms
        return max(0.0, min(sample_ms, (self._kill_at_s - time.monotonic()) * 1000))

    def _obey(self) -> bool:
        """Act on what LocalStack wrote; false once it is gone."""
        chunk = os.read(self._control_fd, 1 << 12)
        if not chunk:
            self._terminate(min(self._spec["stop_grace_ms"], ORPHAN_GRACE_MS))
            return False
        if b"kill" in chunk:
            self._terminate(0)
        elif b"stop" in chunk:
            self._terminate(self._spec["stop_grace_ms"])
        return True

    def _terminate(self, grace_ms: float) -> None:
        if grace_ms:
            _signal(self._function_pid, signal.SIGTERM)
        kill_at_s = time.monotonic() + grace_ms / 1000
        self._kill_at_s = kill_at_s if self._kill_at_s is None else min(kill_at_s, self._kill_at_s)

    def _reap(self) -> None:
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._function_pid:
                    self._exit_status = ended[1]
        except ChildProcessError:
            return

    def _look_at_memory(self) -> int:
        pids = _descendants()
        resident = sum(_resident_bytes(pid, whole=pid == self._function_pid) for pid in pids)
        self._peak_bytes = max(self._peak_bytes, resident)
        self._over_memory = resident > self._spec["memory_bytes"]
        if self._peak_bytes - self._told_peak_bytes >= PEAK_STEP_BYTES:
            self._told_peak_bytes = self._peak_bytes
            self._tell({"peak_bytes": self._peak_bytes})
        return resident

    def _kill_tree(self) -> None:
        """Freeze first, so that nothing can fork away, then kill, until no descendant is left."""
        give_up_at_s = time.monotonic() + KILL_DEADLINE_S
        uid = self._spec["uid"]
        while (pids := _descendants()) and time.monotonic() < give_up_at_s:
            if uid is not None:
                _kill_all_of_user(uid)
            frozen: set[int] = set()
            for _ in range(FREEZE_ROUNDS):
                if not (new := pids - frozen):
                    break
                for pid in new:
                    _signal(pid, signal.SIGSTOP)
                frozen |= new
                pids = _descendants()
            for pid in frozen:
                _signal(pid, signal.SIGKILL)
            self._reap()
            time.sleep(0.001)
            self._reap()

    def _tell_end(self) -> None:
        status = self._exit_status if self._exit_status is not None else signal.SIGKILL
        self._tell(
            {
                "exit_code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
                "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
                "over_memory": self._over_memory,
                "peak_bytes": self._peak_bytes,
            },
        )


def _enter_limits(spec: dict) -> None:  # type: ignore[type-arg]
    """In the new process: own session, limits, user and no way back; then die with the guard."""
    guard_pid = os.getppid()
    os.setsid()
    os.umask(0o022)
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_DFL)
    for name, limit in spec["limits"].items():
        resource.setrlimit(getattr(resource, name), (limit, limit))
    if os.geteuid() == 0:
        for capability in range(LAST_CAPABILITY + 1):
            _prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    if (uid := spec["uid"]) is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    _prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # After the change of user, which clears it.
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != guard_pid:
        os._exit(1)


def _let_go_of_output() -> None:
    null_fd = os.open(os.devnull, os.O_RDWR)
    os.dup2(null_fd, 1)
    os.dup2(null_fd, 2)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _kill_all_of_user(uid: int) -> None:
    """One call that a forking process cannot outrun: the user runs nothing but this environment."""
    killer_pid = os.fork()
    if killer_pid == 0:
        try:
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(killer_pid, 0)


def _descendants() -> set[int]:
    found: set[int] = set()
    todo = [os.getpid()]
    while todo:
        pid = todo.pop()
        for child in _children(pid):
            if child not in found:
                found.add(child)
                todo.append(child)
    return found


def _children(pid: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 -- names are enough, many times a second
    except OSError:
        return []
    children: list[int] = []
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as listing:  # noqa: PTH123 -- as above
                children += map(int, listing.read().split())
        except OSError:
            continue
    return children


def _resident_bytes(pid: int, *, whole: bool) -> int:
    """Resident size; of children only what is not shared with files, which the parent counts already."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as statm:  # noqa: PTH123 -- without pathlib it starts sooner
            _, resident, shared, *_ = map(int, statm.read().split())
    except (OSError, ValueError):
        return 0
    return (resident if whole else resident - shared) * PAGE_BYTES


if __name__ == "__main__":
    for kept_fd in sys.argv[1:]:
        os.set_inheritable(int(kept_fd), False)  # noqa: FBT003 -- it takes no keyword
    Guard(int(sys.argv[1]), int(sys.argv[2])).run()
