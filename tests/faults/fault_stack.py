"""The stack under test as the hand that harms it sees it: parts, processes, rows."""

import hashlib
import json
import os
import signal
import xmlrpc.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import redis
from inference_contract.names import QUEUE_PREDICTIONS
from inference_worker.model_metadata import METADATA_FILE, ModelMetadata
from supervisor.xmlrpc import SupervisorTransport

from tests.faults.limits import FAILPOINT_FILE, PROCESSES
from tests.faults.pure_model import BACKEND, FEATURES, HOSTILE, PURE, SLOW
from tests.whole_stack import ROOT, RunningStack, eventually, frozen, own_stack

UP_AGAIN_WITHIN_S = 30
SETTINGS = {
    "WORKER_APP": "tests.faults.worker_app",
    "WORKER_PYTHONPATH": str(ROOT),
    "WORKER_CONCURRENCY": str(PROCESSES),
}


@dataclass(frozen=True, slots=True)
class FaultStack:
    """One running stack; every process that is harmed is one that it started."""

    running: RunningStack

    @property
    def base(self) -> str:
        """Address of Nginx."""
        return self.running.base

    def pid_of(self, part: str) -> int:
        """Process id of a part's main process; 0 where it does not run."""
        with self._supervisor() as supervisor:
            pid: int = supervisor.supervisor.getProcessInfo(part)["pid"]
        return pid

    def process_of(self, part: str) -> psutil.Process:
        """Main process of a part, as soon as it runs."""
        return psutil.Process(eventually(lambda: self.pid_of(part) or None, UP_AGAIN_WITHIN_S))

    def stop(self, part: str) -> None:
        """Stop a part as an operator would; returns when it has ended."""
        with self._supervisor() as supervisor:
            supervisor.supervisor.stopProcess(part)

    def start(self, part: str) -> None:
        """Start a part that was stopped."""
        with self._supervisor() as supervisor:
            supervisor.supervisor.startProcess(part, False)  # noqa: FBT003 - positional in XML-RPC

    def kill(self, part: str, *, group: bool = False) -> int:
        """Kill a part's main process, or its whole group, without warning; returns the process id."""
        pid = self.process_of(part).pid
        if group:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
        return pid

    @contextmanager
    def frozen(self, *parts: str) -> Iterator[None]:
        """Keep parts from running, with all that they started."""
        with frozen(*(self.process_of(part) for part in parts)):
            yield

    def next_worker_crashes_at(self, place: str) -> None:
        """Name a failpoint for the worker that starts next; the one after it goes on."""
        (self.running.state / FAILPOINT_FILE).write_text(place)

    @property
    def broker_url(self) -> str:
        """Redis as Celery names it."""
        password = json.loads((self.running.state / "credentials.json").read_text())["redis"]
        return f"redis://:{password}@127.0.0.1:{self.running.environment['REDIS_PORT']}/0"

    @contextmanager
    def redis(self) -> Iterator["redis.Redis[bytes]"]:
        """Open a client of the stack's Redis."""
        client = redis.Redis.from_url(self.broker_url)
        try:
            yield client
        finally:
            client.close()

    def waiting(self) -> int:
        """Count the wake-ups that wait in Redis."""
        with self.redis() as client:
            return client.llen(QUEUE_PREDICTIONS)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Read from Postgres as the owner."""
        return self.running.rows(query, *values)

    def log_of(self, part: str) -> str:
        """All that a part has written."""
        return (self.running.state / "logs" / f"{part}.log").read_text(errors="replace")

    def _supervisor(self) -> xmlrpc.client.ServerProxy:
        socket = self.running.state / "run" / "supervisor.sock"
        transport = SupervisorTransport(None, None, serverurl=f"unix://{socket}")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)


@contextmanager
def fault_stack() -> Iterator[FaultStack]:
    """Start a stack with the test models, and leave nothing of it behind."""
    with own_stack(**SETTINGS) as running:
        # Any verb makes the folder; one with something in it that is no stack's is refused.
        running.launch("status")
        for name in (PURE, HOSTILE, SLOW):
            _lay_out_model(running.state / "models", name)
        started = running.launch("up")
        assert started.returncode == 0, started.stdout + started.stderr
        yield FaultStack(running)


def _lay_out_model(models: Path, name: str) -> None:
    content = b"nothing to load"
    digest = hashlib.sha256(content).hexdigest()
    metadata = ModelMetadata(name, "1", BACKEND, "model.bin", digest, FEATURES, ("any",))
    folder = models / name / "1"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(content)
    (folder / METADATA_FILE).write_text(metadata.to_json(), encoding="utf-8")
