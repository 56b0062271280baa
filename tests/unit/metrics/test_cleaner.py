"""The cleaner's command line: once, or for as long as it may."""

import json
import signal
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from powertools_pushgateway.cleaner import CleanerError, clean, main

ROUNDS = 3


class EnoughError(Exception):
    """Ends what would go on for ever."""


class Pauses:
    """Stands in for sleeping: takes a note, and ends the third."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        if len(self.taken) == ROUNDS:
            raise EnoughError


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody listens: taken, but not open."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """Put back what a run set."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_gateway_that_is_down_is_a_line_and_no_end(nobody: str, capsys: pytest.CaptureFixture[str]) -> None:
    pauses = Pauses()
    with pytest.raises(EnoughError):
        main(["--url", nobody, "--every-s", "15"], pauses)
    assert pauses.taken == [15.0] * ROUNDS
    written = capsys.readouterr()
    assert written.err.count("did not answer as expected") == ROUNDS
    assert written.out == ""


def test_sigterm_ends_a_pause_at_once(nobody: str) -> None:
    def pause(_: float) -> None:
        signal.raise_signal(signal.SIGTERM)

    with pytest.raises(SystemExit) as ended:
        main(["--url", nobody, "--every-s", "15"], pause)
    assert ended.value.code == 0


@pytest.mark.parametrize("every_s", ["0", "-1", "inf", "soon"])
def test_pause_that_is_none_is_refused(every_s: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["--url", "http://127.0.0.1:9091", "--every-s", every_s])
    assert refused.value.code == 2
    assert "--every-s" in capsys.readouterr().err


@pytest.mark.parametrize(
    "page",
    [
        "no page",
        {"data": None},
        {"data": ["no group"]},
        {"data": [{"labels": None}]},
        {"data": [{"labels": {"job": "a", "instance": "b"}, "push_time_seconds": {"metrics": []}}]},
    ],
)
def test_answer_that_is_no_pushgateways_is_said_to_be_none(page: object) -> None:
    text = json.dumps(page).encode()

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        asked = threading.Thread(target=server.handle_request)
        asked.start()
        with pytest.raises(CleanerError, match="did not answer as expected"):
            clean(f"http://127.0.0.1:{server.server_port}")
        asked.join()
