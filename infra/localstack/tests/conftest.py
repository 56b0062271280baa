"""A real LocalStack with the executor in it, functions deployed to it, and a way to wait for what must happen."""

import base64
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).parents[3]
LOCALSTACK_PYTHON = ROOT / ".venvs/localstack/bin/python"
RUNTIME_3_13 = ROOT / ".venvs/lambda-runtime/python3.13"
UV = ROOT / ".venvs/tools/bin/uv"
# Debian's own Python: unlike one under root's home, every user can start it.
SYSTEM_PYTHON = Path("/usr/bin/python3.11")
ROLE = "arn:aws:iam::000000000000:role/any"
READY_WITHIN_S = 60.0
POLL_S = 0.05
OPEN_TO_ALL = 0o755


def wait_until[T](question: Callable[[], T], within_s: float = 10.0) -> T:
    """The first true answer; an error with the last one when the time is up."""
    end_s = time.monotonic() + within_s
    while not (answer := question()):
        if time.monotonic() > end_s:
            raise AssertionError(f"not so within {within_s} s, last answer: {answer!r}")
        Event().wait(POLL_S)
    return answer


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    return wait_until


@dataclass
class Result:
    """One invocation as its caller sees it."""

    payload: Any
    error: str | None
    log: str
    version: str | None

    @property
    def report(self) -> str:
        return next(line for line in reversed(self.log.splitlines()) if line.startswith("REPORT"))


@dataclass
class Function:
    """A deployed function."""

    stack: "LocalStack"
    name: str
    qualifier: str | None = None

    def invoke(self, event: Any = None, *, raw: bytes | None = None, **request: Any) -> Result:
        payload = raw if raw is not None else json.dumps(event or {}).encode()
        if self.qualifier:
            request["Qualifier"] = self.qualifier
        answer = self.stack.client("lambda").invoke(
            FunctionName=self.name, Payload=payload, LogType="Tail", **request
        )
        return Result(
            json.loads(answer["Payload"].read()),
            answer.get("FunctionError"),
            base64.b64decode(answer.get("LogResult", "")).decode(),
            answer.get("ExecutedVersion"),
        )

    def log_lines(self) -> list[str]:
        """The function's lines in the one log file, without time and name."""
        marker = f" {self.name} | "
        lines = self.stack.log_file.read_text().splitlines() if self.stack.log_file.exists() else []
        return [line.partition(marker)[2] for line in lines if marker in line]

    def environments(self) -> list[dict[str, Any]]:
        return [e for e in self.stack.status()["environments"] if e["function"] == self.name]

    def wait_active(self) -> "Function":
        client = self.stack.client("lambda")

        def settled() -> bool:
            facts = client.get_function_configuration(FunctionName=self.name)
            return facts["State"] != "Pending" and facts.get("LastUpdateStatus") != "InProgress"

        wait_until(settled)
        return self


@dataclass
class LocalStack:
    """A LocalStack process of this test run."""

    port: int
    root: Path
    process: subprocess.Popen[bytes]
    _clients: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        return self.root / "functions.log"

    @property
    def output(self) -> str:
        return (self.root / "localstack.log").read_text()

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.url,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",  # noqa: S106 -- LocalStack takes any
                config=Config(retries={"max_attempts": 0}, max_pool_connections=50),
            )
        return self._clients[service]

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:  # noqa: S310 -- our own address
            return bytes(answer.read())

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.get("/_localstack/process-executor")))

    def deploy(
        self, code: str | dict[str, str], *, runtime: str = "python3.13", handler: str = "app.handler", **more: Any
    ) -> Function:
        name = f"f-{uuid.uuid4().hex[:10]}"
        self.client("lambda").create_function(
            FunctionName=name,
            Runtime=runtime,
            Role=ROLE,
            Handler=handler,
            Code={"ZipFile": zipped(code)},
            **{"Timeout": 3, "MemorySize": 256} | more,
        )
        return Function(self, name).wait_active()

    def is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"LocalStack ended with {self.process.returncode}:\n{self.output}")
        return "\nReady." in self.output

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def zipped(code: str | dict[str, str]) -> bytes:
    """A deployment package; a text is its app.py. Every file may be executed."""
    files = {"app.py": code} if isinstance(code, str) else code
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, textwrap.dedent(text))
    return buffer.getvalue()


@pytest.fixture(scope="session")
def zip_code() -> Callable[[str | dict[str, str]], bytes]:
    return zipped


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
    target = str(folder / "python3.11")
    subprocess.run(
        [UV, "pip", "install", "-q", "--python", SYSTEM_PYTHON, "--target", target, "awslambdaric==4.2.2"],
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
            "LAMBDA_PROCESS_PYTHON_3_13": str(Path(sys.executable).resolve()),
            "LAMBDA_PROCESS_PYTHON_3_11": str(SYSTEM_PYTHON),
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
            wait_until(stack.is_ready, READY_WITHIN_S)
        return stack

    yield start
    for stack in started:
        # The guards end what is left; an orderly end has a test of its own.
        stack.end(signal.SIGKILL)


@pytest.fixture(scope="session")
def localstack(start_localstack: Callable[..., LocalStack]) -> LocalStack:
    """The LocalStack that most tests share."""
    return start_localstack(LAMBDA_PROCESS_INIT_TIMEOUT_S="1.5")
