"""Which program runs a Lambda runtime here: an interpreter with AWS's runtime client, or a bootstrap."""

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from localstack_process_executor.errors import RuntimeNotProvidedError, UnsupportedRuntimeError
from localstack_process_executor.settings import INTERPRETER_PREFIX, PREFIX, Settings

PYTHON_RUNTIME = re.compile(r"python3\.\d+")
VERSION_PROBE_TIMEOUT_S = 10
PRINT_EXECUTABLE = (
    "import os, sys; print(os.path.realpath(sys.executable)); print('%d.%d' % sys.version_info[:2])"
)


@dataclass(frozen=True, slots=True)
class PythonRuntime:
    """A python3.N runtime: the interpreter itself, never a version manager's shim, and AWS's /var/runtime."""

    name: str
    interpreter: Path
    folder: Path


@dataclass(frozen=True, slots=True)
class ProvidedRuntime:
    """A provided.* runtime: the function or a layer brings the program."""

    name: str


type Runtime = PythonRuntime | ProvidedRuntime


class RuntimeCatalogue:
    """Finds runtimes and remembers them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._found: dict[str, PythonRuntime] = {}

    def runtime(self, name: str) -> Runtime:
        """The runtime of that AWS name.

        Raises:
            UnsupportedRuntimeError: for a language that this executor does not run.
            RuntimeNotProvidedError: naming what is missing and how to provide it.
        """
        if name == "provided" or name.startswith("provided."):
            return ProvidedRuntime(name)
        if not PYTHON_RUNTIME.fullmatch(name):
            raise UnsupportedRuntimeError(
                f"runtime {name} is not supported by the process executor: it runs python3.N and provided.*"
            )
        if name not in self._found:
            self._found[name] = PythonRuntime(name, self._interpreter(name), self._folder(name))
        return self._found[name]

    def provided_pythons(self) -> list[PythonRuntime]:
        """Every python runtime whose folder exists and whose interpreter is found."""
        folder = self._settings.runtime_dir
        names = [path.name for path in sorted(folder.iterdir())] if folder else []
        found = []
        for name in filter(PYTHON_RUNTIME.fullmatch, names):
            try:
                runtime = self.runtime(name)
            except RuntimeNotProvidedError:
                continue
            if isinstance(runtime, PythonRuntime):
                found.append(runtime)
        return found

    def _folder(self, name: str) -> Path:
        if self._settings.runtime_dir is None:
            raise RuntimeNotProvidedError(
                f"{PREFIX}RUNTIME_DIR is not set: make a folder for {name} with "
                f"`pip install --target <folder>/{name} awslambdaric` and set it to <folder>"
            )
        folder = self._settings.runtime_dir / name
        if not (folder / "awslambdaric").is_dir():
            raise RuntimeNotProvidedError(
                f"no runtime client for {name}: run `{name} -m pip install --target {folder} awslambdaric`"
            )
        return folder

    def _interpreter(self, name: str) -> Path:
        variable = INTERPRETER_PREFIX + name.removeprefix("python").replace(".", "_")
        given = (self._settings.interpreters or {}).get(name)
        candidates = [str(given)] if given else _on_path(name)
        for candidate in candidates:
            if (interpreter := _real_interpreter(candidate, name)) is not None:
                return interpreter
        looked_at = ", ".join(candidates) or "nothing of that name on PATH"
        raise RuntimeNotProvidedError(
            f"no interpreter for {name} (looked at: {looked_at}): install it or set {variable} to its path"
        )


def program_version(runtime: Runtime) -> str:
    """A digest that changes with what runs the function: the place of AWS's runtime version ARN's hash."""
    if isinstance(runtime, ProvidedRuntime):
        return hashlib.sha256(runtime.name.encode()).hexdigest()
    clients = sorted(path.name for path in runtime.folder.glob("awslambdaric-*.dist-info"))
    return hashlib.sha256(repr((runtime.name, str(runtime.interpreter), clients)).encode()).hexdigest()


def _on_path(name: str) -> list[str]:
    found = (
        shutil.which(name, path=folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)
    )
    return [path for path in found if path]


def _real_interpreter(candidate: str, name: str) -> Path | None:
    """The file that `candidate` really starts, if it is of that version; a shim is only a name for it."""
    try:
        answer = subprocess.run(  # noqa: S603 -- a program that the operator named or has on PATH
            [candidate, "-I", "-c", PRINT_EXECUTABLE],
            capture_output=True,
            text=True,
            check=True,
            timeout=VERSION_PROBE_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    executable, _, version = answer.stdout.strip().partition("\n")
    return Path(executable) if f"python{version}" == name else None
