"""A real Pushgateway and Prometheus on free ports, and environments as processes of their own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.integration.parts import ROOT, START_S, Process, free_port, temporary_folder, wait_until

FAST = {"push_every_s": 0.05, "heartbeat_s": 0.2}
SCRAPE_CONFIG = """
global: {{scrape_interval: 250ms}}
scrape_configs:
  - {{job_name: pushgateway, honor_labels: true, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
"""


class Pushgateway:
    """A gateway that can be stopped, halted, and started again on the same port with nothing in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: Process | None = None
        self._http = urllib3.PoolManager(retries=False)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        options = [f"--web.listen-address=127.0.0.1:{self.port}", "--persistence.file="]
        self._process = Process(["prometheus-pushgateway", *options], self._folder / "pushgateway.log")
        wait_until(self._ready, timeout_s=START_S, what="the Pushgateway")

    def stop(self) -> None:
        if self._process is not None:
            self.signal(signal.SIGCONT)
            self._process.stop()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; SIGSTOP makes it a black hole that still accepts connections."""
        if self._process is not None and self._process.running:
            os.kill(self._process.pid, number)

    def ask(self, method: str, path: str, body: str | None = None) -> urllib3.BaseHTTPResponse:
        return self._http.request(method, f"{self.url}{path}", body=body, timeout=START_S)

    def groups(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", "/api/v1/metrics").json()["data"]
        return found

    def group_names(self) -> set[str]:
        """Each group's instance."""
        return {group["labels"].get("instance", "") for group in self.groups()}

    def total(self, name: str = "orders_total") -> float:
        """A counter's sum over all groups and labels."""
        return sum(
            float(metric["value"])
            for group in self.groups()
            for metric in group.get(name, {"metrics": []})["metrics"]
        )

    def eventually(self, value: float, name: str = "orders_total") -> None:
        wait_until(lambda: self.total(name) == value, timeout_s=START_S, what=f"{name} {value}")

    def _ready(self) -> bool:
        try:
            return self.ask("GET", "/-/ready").status == 200
        except urllib3.exceptions.HTTPError:
            return False


class Environment:
    """A function's process, as Lambda keeps it: invoked when asked, ended by SIGTERM."""

    def __init__(self, url: str, instance: str, rhythm: dict[str, float], **more: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("environment.py"))],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT / "functions" / "common"),
                "PUSHGATEWAY_URL": url,
                "RHYTHM": json.dumps(rhythm),
                "AWS_LAMBDA_LOG_STREAM_NAME": f"2026/01/31/[$LATEST]{instance}",
                **more,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def invoke(self, orders: int = 1) -> dict[str, float]:
        """Return the handler's answer, and how long it took as `elapsed_s`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"orders": orders}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, float] = json.loads(self._process.stdout.readline())
        return answer

    def end(self, number: signal.Signals | None = signal.SIGTERM) -> int:
        """End it, by its standard input where no signal is given, and return its exit status."""
        if self._process.poll() is None:
            if number is not None:
                self._process.send_signal(number)
                self._process.wait(START_S)
            self._process.communicate(timeout=START_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return self._process.wait(START_S)


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_folder() as made:
        yield made


@pytest.fixture
def pushgateway(folder: Path) -> Iterator[Pushgateway]:
    """A gateway that is not started."""
    gateway = Pushgateway(folder)
    yield gateway
    gateway.stop()


@pytest.fixture
def gateway(pushgateway: Pushgateway) -> Pushgateway:
    """A gateway that runs."""
    pushgateway.start()
    return pushgateway


@pytest.fixture
def new_environment(pushgateway: Pushgateway) -> Iterator[Callable[..., Environment]]:
    """`new_environment(instance, rhythm=, url=, **variables)`: a process that pushes to the gateway."""
    made: list[Environment] = []

    def make(
        instance: str = "e1", rhythm: dict[str, float] | None = None, url: str | None = None, **more: str
    ) -> Environment:
        made.append(Environment(url or pushgateway.url, instance, rhythm or FAST, **more))
        return made[-1]

    yield make
    for environment in made:
        environment.end(signal.SIGKILL)


@pytest.fixture
def query(gateway: Pushgateway, folder: Path) -> Iterator[Callable[[str], float | None]]:
    """`query(promql)`: one number from a Prometheus that scrapes the gateway, None for no series."""
    port = free_port()
    config = folder / "prometheus.yml"
    config.write_text(SCRAPE_CONFIG.format(port=gateway.port))
    process = Process(
        [
            "prometheus",
            f"--config.file={config}",
            f"--web.listen-address=127.0.0.1:{port}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
        ],
        folder / "prometheus.log",
    )
    http = urllib3.PoolManager(retries=False)

    def ask(promql: str) -> float | None:
        try:
            answer = http.request("GET", f"http://127.0.0.1:{port}/api/v1/query", fields={"query": promql})
        except urllib3.exceptions.HTTPError:
            return None
        found = answer.json()["data"]["result"] if answer.status == 200 else []
        return float(found[0]["value"][1]) if found else None

    yield ask
    http.clear()
    process.stop()
