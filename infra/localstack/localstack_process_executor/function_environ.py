"""A function's environment: what AWS documents, and the function's own; nothing of LocalStack's."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localstack_process_executor.code_store import CodeFolders
from localstack_process_executor.runtimes import PythonRuntime, Runtime

# From AWS's list of defined runtime variables, and what a function needs to reach LocalStack.
PASSED_ON = (
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_FORMAT",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_LEVEL",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_DAEMON_ADDRESS",
    "EDGE_PORT",
    "LOCALSTACK_HOSTNAME",
    "TZ",
    "_AWS_XRAY_DAEMON_ADDRESS",
    "_AWS_XRAY_DAEMON_PORT",
    "_HANDLER",
)
SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")


@dataclass(frozen=True, slots=True)
class Given:
    """The variables to start from: LocalStack's for this environment, and the function's configured ones."""

    localstack: Mapping[str, object]
    own: Mapping[str, str]


def function_environ(
    given: Given, runtime: Runtime, folders: CodeFolders, temporary: Path, runtime_api: str
) -> dict[str, str]:
    """Build the environment; as on AWS the function's own variables win, except over the reserved ones."""
    passed_on = {name: str(given.localstack[name]) for name in PASSED_ON if name in given.localstack}
    defaults = {
        "LANG": "en_US.UTF-8",
        "PATH": ":".join([*_interpreter_path(runtime), *SYSTEM_PATH, f"{folders.opt}/bin"]),
        "LD_LIBRARY_PATH": f"{folders.task}:{folders.task}/lib:{folders.opt}/lib",
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
    }
    reserved = {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime.name}",
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": str(folders.task),
        "LAMBDA_RUNTIME_DIR": str(runtime.folder if isinstance(runtime, PythonRuntime) else folders.task),
    }
    environ = passed_on | defaults | dict(given.own) | reserved
    if isinstance(runtime, PythonRuntime):
        environ["PYTHONPATH"] = ":".join(_python_path(runtime, folders, given.own.get("PYTHONPATH")))
        # Code folders are read-only, so there is nowhere to write it.
        environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    else:
        # Custom runtimes find their program's own variables only.
        environ.pop("AWS_EXECUTION_ENV")
    return environ


def _interpreter_path(runtime: Runtime) -> list[str]:
    return [str(runtime.interpreter.parent)] if isinstance(runtime, PythonRuntime) else []


def _python_path(runtime: PythonRuntime, folders: CodeFolders, own: str | None) -> list[str]:
    """AWS's order: the layers, the function's own entries, the runtime; Python puts the code before them."""
    layers = [f"{folders.opt}/python/lib/{runtime.name}/site-packages", f"{folders.opt}/python"]
    return [*layers, *([own] if own else []), str(runtime.folder)]
