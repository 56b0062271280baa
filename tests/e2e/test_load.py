"""`make load` against the running stack: its table is what Postgres has."""

import os
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.whole_stack import free_ports, run_verb

pytestmark = pytest.mark.integration

RATE, SECONDS = 8, 5
ROWS = """
SELECT count(*), count(*) FILTER (WHERE status = 'succeeded'),
       count(*) FILTER (WHERE jsonb_array_length(features) > 1), count(DISTINCT caller)
FROM predictions WHERE submitted_at >= %s
"""


class HangingUp(BaseHTTPRequestHandler):
    """Is well, and ends every connection that brings a submit."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        self.close_connection = True

    def log_message(self, *_):
        """Write nothing."""


@contextmanager
def served(handler):
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def counts(done):
    """Read the table's counts, by outcome."""
    words = [line.split() for line in done.stdout.splitlines()]
    return {line[0]: int(line[1]) for line in words if len(line) > 1 and line[1].isdigit()}


def load(environment, *words):
    """In a process of its own: Locust patches the standard library of whoever imports it."""
    return run_verb("load", *words, environment=os.environ | environment)


def test_table_tells_what_postgres_has(stack):
    [(begun_at,)] = stack.rows("SELECT now()")
    done = load(stack.environment, f"--rate={RATE}", f"--seconds={SECONDS}", "--batch=0.5")
    assert done.returncode == 0, done.stdout + done.stderr

    count = counts(done)
    [(rows, succeeded, batches, callers)] = stack.rows(ROWS, begun_at)
    assert count["accepted"] + count["refused"] == RATE * SECONDS
    assert (rows, succeeded) == (count["accepted"], count["completed"])
    assert (count["broken"], count["failed"], count["lost"]) == (0, 0, 0)
    assert 0 < batches < rows
    assert callers == 1
    assert "submit to result" in done.stdout

    words = [line.split() for line in done.stdout.splitlines()]
    [report] = [Path(line[1]) for line in words if line[:1] == ["report"]]
    assert report.parent == stack.state / "reports"
    assert "POST /predict" in report.read_text()


def test_stack_that_is_down_is_said_to_be(tmp_path):
    [port] = free_ports(1)
    done = load({"HTTP_PORT": str(port), "STATE_DIR": str(tmp_path)}, "--seconds=1")
    assert done.returncode == 1
    assert f"nothing answers at http://127.0.0.1:{port}" in done.stdout
    assert "make up" in done.stdout


def test_submit_without_an_answer_is_broken(tmp_path):
    with served(HangingUp) as port:
        environment = {"HTTP_PORT": str(port), "STATE_DIR": str(tmp_path)}
        done = load(environment, f"--rate={RATE}", "--seconds=1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert (counts(done)["broken"], counts(done)["accepted"]) == (RATE, 0)
    assert "nothing was accepted" in done.stdout


@pytest.mark.parametrize(
    "word",
    ["--rate=0", "--rate=201", "--rate=nan", "--seconds=-1", "--batch=1.5", "--rate=x", "--seconds=0.01"],
)
def test_setting_that_makes_no_sense_is_refused(word, tmp_path):
    done = load({"STATE_DIR": str(tmp_path)}, word)
    assert done.returncode == 2
    assert word.split("=", maxsplit=1)[0].strip("-") in done.stderr
    assert "invalid _" not in done.stderr
