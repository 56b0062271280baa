"""A LocalStack with the process executor as a test sees it: deploy, invoke, read its log, wait."""

import base64
import io
import json
import signal
import subprocess
import textwrap
import time
import urllib.request
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import boto3
from botocore.config import Config

# The system's own Python: unlike one under root's home, every user can start it.
SYSTEM_PYTHON = Path("/usr/bin/python3").resolve()
SYSTEM_RUNTIME = SYSTEM_PYTHON.name
PYTHON_RUNTIMES = sorted({SYSTEM_RUNTIME, "python3.13"})
ROLE = "arn:aws:iam::000000000000:role/any"
POLL_S = 0.05


def eventually[T](question: Callable[[], T], within_s: float = 10.0) -> T:
    """The first true answer; an error with the last one when the time is up."""
    end_s = time.monotonic() + within_s
    while not (answer := question()):
        if time.monotonic() > end_s:
            raise AssertionError(f"not so within {within_s} s, last answer: {answer!r}")
        Event().wait(POLL_S)
    return answer


def is_running(pid: int) -> bool:
    """Whether the process exists and is not just waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


@dataclass
class Result:
    """One invocation as its caller sees it."""

    payload: Any
    error: str | None
    log: str
    version: str | None

    @property
    def report(self) -> str:
        """The REPORT line."""
        return next(line for line in reversed(self.log.splitlines()) if line.startswith("REPORT"))


@dataclass
class Function:
    """A deployed function."""

    stack: "LocalStack"
    name: str
    qualifier: str | None = None

    def invoke(
        self,
        event: object = None,
        *,
        raw: bytes | None = None,
        **request: Any,  # noqa: ANN401 -- whatever the API takes
    ) -> Result:
        """Call it with the event, or with these very bytes."""
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
        """Its entries in the status."""
        return [e for e in self.stack.status()["environments"] if e["function"] == self.name]

    def wait_active(self) -> "Function":
        """Wait until no change is in progress."""
        client = self.stack.client("lambda")

        def settled() -> bool:
            facts = client.get_function_configuration(FunctionName=self.name)
            return bool(facts["State"] != "Pending") and facts.get("LastUpdateStatus") != "InProgress"

        eventually(settled)
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
        """The address of every API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        """Where all functions' lines are."""
        return self.root / "functions.log"

    @property
    def output(self) -> str:
        """What LocalStack itself has written."""
        return (self.root / "localstack.log").read_text()

    def client(self, service: str) -> Any:  # noqa: ANN401 -- boto3 makes its clients at run time
        """A client that never retries, made once."""
        if service not in self._clients:
            make: Any = boto3.client  # typed by a literal for each service
            self._clients[service] = make(
                service,
                endpoint_url=self.url,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",  # noqa: S106 -- LocalStack takes any
                config=Config(retries={"max_attempts": 0}, max_pool_connections=50),
            )
        return self._clients[service]

    def get(self, path: str) -> bytes:
        """The body of a GET."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:  # noqa: S310 -- our own address
            return bytes(answer.read())

    def status(self) -> dict[str, Any]:
        """What the status route answers."""
        return dict(json.loads(self.get("/_localstack/process-executor")))

    def deploy(
        self,
        code: str | dict[str, str],
        *,
        runtime: str = "python3.13",
        handler: str = "app.handler",
        **more: Any,  # noqa: ANN401 -- whatever the API takes
    ) -> Function:
        """Create a function under a random name and wait until it is settled."""
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
        """Whether it has started; an error when it has ended instead."""
        if self.process.poll() is not None:
            raise AssertionError(f"LocalStack ended with {self.process.returncode}:\n{self.output}")
        return "\nReady." in self.output

    def end(self, number: int = signal.SIGTERM) -> int:
        """Signal it and wait; its exit status."""
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
