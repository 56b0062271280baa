"""A whole stack on ports and in a folder of its own, started by the launcher itself, for any suite."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil
import psycopg2
import pytest
import urllib3

from stack.deployment import REGION
from stack.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = str(ROOT / "contract")
VERB_DEADLINE_S = 240
NEVER_GIVEN = range(21_000, 32_000)
"""Ports below those that Linux and macOS give to whoever asks for any, and above the stack's own."""
PORTS = tuple(name.upper() for name in Settings.model_fields if name.endswith("_port"))


def free_ports(count: int) -> list[int]:
    """Return ports that are free now, side by side.

    The system gives none of them to whoever asks it for any: some are not used before a minute has gone by.
    """
    while True:
        first = secrets.choice(NEVER_GIVEN[:-count])
        ports = list(range(first, first + count))
        with ExitStack() as opened, suppress(OSError):
            for port in ports:
                opened.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return ports


@contextmanager
def frozen(*mains: psutil.Process) -> Iterator[None]:
    """Keep processes and their children from running: connections stay open, and nobody answers."""
    family = [each for main in mains for each in (main, *main.children(recursive=True))]
    try:
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        yield
    finally:
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.resume()


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, read."""

    status: int
    headers: urllib3.HTTPHeaderDict
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class RunningStack:
    """The stack under test, as a person at the command line and a client see it."""

    environment: dict[str, str]
    state: Path

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.environment['HTTP_PORT']}"

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start a verb of the launcher and leave it running."""
        return subprocess.Popen(
            [sys.executable, "-m", "stack", *words],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def launch(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return run_verb("stack", *words, environment=self.environment | environment)

    def call(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Answer:
        raw = body if isinstance(body, (bytes, str, type(None))) else json.dumps(body)
        with urllib3.PoolManager(retries=False, timeout=30) as http:
            answer = http.request(
                method,
                f"{self.base}{path}",
                body=raw,
                headers={"Content-Type": "application/json"} | (headers or {}),
            )
            return Answer(answer.status, answer.headers, answer.data.decode())

    def result(self, task_id: str, deadline_s: float = 30) -> Any:
        """Return the job when it has ended."""

        def ended() -> Any:
            job = self.call("GET", f"/results/{task_id}?wait=5").json
            return job if job["status"] not in ("queued", "running") else None

        return eventually(ended, deadline_s)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        password = json.loads((self.state / "credentials.json").read_text())["celery_user"]
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=self.environment["POSTGRES_PORT"],
            dbname="celery_db",
            user="celery_user",
            password=password,
        )
        with closing(connection), connection, connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()

    def lambda_client(self) -> Any:
        """Talk to LocalStack's Lambda; close it after."""
        return boto3.client(
            "lambda",
            endpoint_url=f"http://127.0.0.1:{self.environment['LOCALSTACK_PORT']}",
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - LocalStack takes any
        )

    def pid_of(self, part: str) -> int:
        """Return the process id of a part that runs."""
        line = next(line for line in self.launch("status").stdout.splitlines() if line.split()[0] == part)
        return int(line.split()[2])

    def processes(self) -> list[psutil.Process]:
        """Return every process that this stack started and that still runs."""
        mark = str(self.state)
        found = []
        for process in psutil.process_iter():
            try:
                words = [*process.cmdline(), process.environ().get("STACK_STATE_DIR", "")]
            except psutil.Error:
                continue
            if any(mark in word for word in words):
                found.append(process)
        return found


def run_verb(module: str, *words: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run one of the Makefile's modules to its end, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=ROOT,
        env={"PYTHONPATH": CONTRACT} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=VERB_DEADLINE_S,
        check=False,
    )


def eventually[T](look: Callable[[], T | None], deadline_s: float, every_s: float = 0.1) -> T:
    """Return what `look` finds as soon as it finds something; fail at the deadline."""
    end = time.monotonic() + deadline_s
    pause = threading.Event()
    while (found := look()) is None:
        if time.monotonic() > end:
            pytest.fail(f"not seen within {deadline_s} s: {look.__qualname__}")
        pause.wait(every_s)
    return found


@contextmanager
def own_stack(**settings: str) -> Iterator[RunningStack]:
    """Give a stack of these settings that is not started yet, and leave nothing of it behind."""
    state = Path(tempfile.mkdtemp(prefix="inference-e2e-", dir="/tmp"))
    state.chmod(0o711)
    ports = {name: str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
    own = {"STATE_DIR": str(state), "PYTHONPATH": CONTRACT}
    environment = os.environ | ports | own | settings
    stack = RunningStack(environment=environment, state=state)
    try:
        yield stack
    finally:
        stopped = stack.launch("clean")
        left = [f"{process.pid} {process.name()}" for process in stack.processes()]
        shutil.rmtree(state, ignore_errors=True)
    assert stopped.returncode == 0, stopped.stdout
    assert left == [], "make clean left processes"
