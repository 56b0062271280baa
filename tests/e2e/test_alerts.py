"""A part that is down is told to whoever listens, by name and in words, and so is its return."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

PART, JOB = "mtail", "door"
FIRED_WITHIN_S = 90
"""A scrape (5 s), the rule's own 30 s, a look at the rules (5 s), what is put together (5 s); twice that."""
OVER_WITHIN_S = 60


class Receiver:
    """Somebody's webhook: keeps what it is sent."""

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []
        alerts = self.alerts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                alerts.extend(json.loads(body)["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/alerts"

    def told(self, status: str) -> dict[str, Any] | None:
        """Return the alert about the part, with this status."""
        for alert in list(self.alerts):
            labels = alert["labels"]
            if alert["status"] == status and labels["alertname"] == "PartDown" and labels["part"] == JOB:
                return alert
        return None


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def supervise(stack, verb):
    command = [sys.executable, "-m", "supervisor.supervisorctl", "-c"]
    configuration = str(stack.state / "rendered" / "supervisord.conf")
    subprocess.run([*command, configuration, verb, PART], check=True, capture_output=True)


def test_part_that_is_down_is_told_and_its_return_too(stack, poll, receiver):
    changed = stack.launch("up", ALERT_WEBHOOK_URL=receiver.url)
    assert changed.returncode == 0, changed.stdout
    restarted = next(line for line in changed.stdout.splitlines() if "restarts" in line)
    assert "alertmanager" in restarted
    supervise(stack, "stop")
    try:
        fired = poll(lambda: receiver.told("firing"), FIRED_WITHIN_S)
    finally:
        supervise(stack, "start")

    assert fired["labels"]["severity"] == "critical"
    assert JOB in fired["annotations"]["summary"]
    assert fired["annotations"]["description"]
    assert fired["annotations"]["runbook"].startswith("docs/runbooks/")
    poll(lambda: receiver.told("resolved"), OVER_WITHIN_S)
    assert stack.launch("up").returncode == 0
