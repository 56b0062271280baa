"""Whether a function can run as a user of its own, and if not, why: tried for real, once for each runtime."""

import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from localstack_process_executor.runtimes import ProvidedRuntime, Runtime
from localstack_process_executor.uid_pool import UidPool

PROBE_TIMEOUT_S = 20
PROBE = "import os, sys; os.chdir(sys.argv[1]); import awslambdaric, runtime_client"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether environments get a user each, with the reason in words for the status endpoint."""

    own_user: bool
    reason: str


class Isolation:
    """Decides for each runtime; `state_dir` is where code and temporary folders of the functions are."""

    def __init__(self, uids: UidPool | None, state_dir: Path) -> None:
        self.uids = uids
        self._state_dir = state_dir
        self._verdicts: dict[str, Verdict] = {}
        self._lock = Lock()

    def verdict(self, runtime: Runtime) -> Verdict:
        """Probe once: start the interpreter as an unprivileged user and import the runtime client."""
        with self._lock:
            if runtime.name not in self._verdicts:
                self._verdicts[runtime.name] = self._general() or self._of(runtime)
            return self._verdicts[runtime.name]

    def _general(self) -> Verdict | None:
        if os.geteuid() != 0:
            return Verdict(own_user=False, reason="LocalStack does not run as root, so it cannot change user")
        if self.uids is None:
            return Verdict(own_user=False, reason="switched off by LAMBDA_PROCESS_UID_RANGE")
        if (closed := closed_folder(self._state_dir)) is not None:
            return Verdict(own_user=False, reason=f"{closed} is closed to other users")
        return None

    def _of(self, runtime: Runtime) -> Verdict:
        if self.uids is None or isinstance(runtime, ProvidedRuntime):
            return Verdict(own_user=True, reason="its code folder is open to other users")
        for path in (runtime.interpreter, runtime.folder):
            if (closed := closed_folder(path)) is not None:
                return Verdict(
                    own_user=False, reason=f"{path} is out of reach: {closed} is closed to other users"
                )
        with self.uids.borrowed() as uid:
            return _probed(
                [str(runtime.interpreter), "-s", "-c", PROBE, str(self._state_dir)], runtime.folder, uid
            )


def closed_folder(path: Path) -> Path | None:
    """The topmost folder on the way to `path`, or itself, closed to others; None where all are open."""
    for folder in [*reversed(path.parents), path]:
        needed = stat.S_IXOTH if folder.is_dir() else stat.S_IROTH
        if not folder.stat().st_mode & needed:
            return folder
    return None


def _probed(argv: list[str], runtime_folder: Path, uid: int) -> Verdict:
    try:
        subprocess.run(  # noqa: S603 -- the interpreter that would run the function
            argv,
            env={"PYTHONPATH": str(runtime_folder), "PYTHONDONTWRITEBYTECODE": "1"},
            user=uid,
            group=uid,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            check=True,
            timeout=PROBE_TIMEOUT_S,
        )
    except subprocess.CalledProcessError as error:
        last_line = (error.stderr.strip().splitlines() or ["no output"])[-1]
        return Verdict(own_user=False, reason=f"an unprivileged user cannot start it: {last_line}")
    except (OSError, subprocess.SubprocessError) as error:
        return Verdict(own_user=False, reason=f"an unprivileged user cannot start it: {error}")
    return Verdict(
        own_user=True, reason="an unprivileged user reaches the interpreter, runtime folder and code"
    )
