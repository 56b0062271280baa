"""Real LocalStacks with the executor in them, started by the suite and ended by it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from localstack_harness import SYSTEM_PYTHON, SYSTEM_RUNTIME, LocalStack, eventually

ROOT = Path(__file__).parents[3]
LOCALSTACK_PYTHON = ROOT / ".venvs/localstack/bin/python"
RUNTIME_3_13 = ROOT / ".venvs/lambda-runtime/python3.13"
SYSTEM_PYTHON_SETTING = f"LAMBDA_PROCESS_PYTHON_{SYSTEM_RUNTIME.removeprefix('python').replace('.', '_')}"
LAMBDA_RUNTIME_LOCK = ROOT / "requirements/lambda-runtime.txt"
UV = ROOT / ".venvs/tools/bin/uv"
READY_WITHIN_S = 60.0
OPEN_TO_ALL = 0o755


@pytest.fixture(scope="session")
def open_tmp() -> Iterator[Path]:
    """A folder that unprivileged users reach; pytest's own is closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="process-executor-tests-"))
    folder.chmod(OPEN_TO_ALL)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def runtime_dir(open_tmp: Path) -> Path:
    """What stands in for AWS's /var/runtime, of both Pythons."""
    folder = open_tmp / "runtimes"
    folder.mkdir()
    (folder / "python3.13").symlink_to(RUNTIME_3_13)
    if SYSTEM_RUNTIME != "python3.13":
        subprocess.run(
            [
                *(UV, "pip", "install", "-q", "--python", SYSTEM_PYTHON, "--target", folder / SYSTEM_RUNTIME),
                *("--require-hashes", "-r", LAMBDA_RUNTIME_LOCK),
            ],
            check=True,
            timeout=120,
        )
    return folder


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="session")
def start_localstack(open_tmp: Path, runtime_dir: Path) -> Iterator[Callable[..., LocalStack]]:
    """Starts LocalStacks with more environment on top; ends them all."""
    started: list[LocalStack] = []

    def start(*, wait: bool = True, **environ: str) -> LocalStack:
        port = free_port()
        root = open_tmp / f"localstack-{port}"
        (root / "tmp").mkdir(parents=True)
        base = {
            "PATH": os.environ["PATH"],
            "TMPDIR": str(root / "tmp"),
            "SECRET_OF_LOCALSTACK": "not for functions",
            "GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DISABLE_EVENTS": "1",
            "OVERRIDE_IN_DOCKER": "0",
            "FILESYSTEM_ROOT": str(root),
            "EAGER_SERVICE_LOADING": "0",
            "SERVICES": "apigateway,cloudformation,iam,lambda,logs,s3,sqs,sts",
            "STRICT_SERVICE_LOADING": "1",
            "LAMBDA_RETRY_BASE_DELAY": "1",
            "LAMBDA_RUNTIME_EXECUTOR": "process",
            "LAMBDA_PROCESS_RUNTIME_DIR": str(runtime_dir),
            SYSTEM_PYTHON_SETTING: str(SYSTEM_PYTHON),
            "LAMBDA_PROCESS_PYTHON_3_13": str(Path(sys.executable).resolve()),
            "LAMBDA_PROCESS_LOG_FILE": str(root / "functions.log"),
        }
        with (root / "localstack.log").open("wb") as log:
            process = subprocess.Popen(
                [LOCALSTACK_PYTHON, "-m", "localstack.runtime.main"],
                env=base | environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=root,
                start_new_session=True,
            )
        stack = LocalStack(port, root, process)
        started.append(stack)
        if wait:
            eventually(stack.is_ready, READY_WITHIN_S)
        return stack

    yield start
    for stack in started:
        # The guards end what is left; an orderly end has a test of its own.
        stack.end(signal.SIGKILL)


@pytest.fixture(scope="session")
def localstack(start_localstack: Callable[..., LocalStack]) -> LocalStack:
    """The LocalStack that most tests share."""
    return start_localstack(LAMBDA_PROCESS_INIT_TIMEOUT_S="3")
