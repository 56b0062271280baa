"""Whatever the gateway does, the handler answers as ever, and all that was counted arrives in the end."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.integration.parts import START_S, wait_until

pytestmark = pytest.mark.integration

FELT_S = 0.2
GRACE_S = 0.5
CALLS = 50
FAILED = "powertools_pushgateway_failed_pushes_total"


@pytest.fixture
def silent_url() -> Iterator[str]:
    """A server that accepts and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def answers_as_ever(environment: Any) -> None:
    """Invoke `CALLS` times; nobody may wait for the gateway."""
    answers = [environment.invoke() for _ in range(CALLS)]
    assert {answer["accepted"] for answer in answers} == {1}
    assert sorted(answer["elapsed_s"] for answer in answers)[CALLS * 9 // 10] < FELT_S


def test_gateway_that_comes_late_gets_everything(pushgateway: Any, new_environment: Any) -> None:
    environment = new_environment()
    answers_as_ever(environment)
    pushgateway.start()
    pushgateway.eventually(CALLS)
    assert pushgateway.total(FAILED) >= 1


def test_gateway_that_never_answers_is_not_felt(new_environment: Any, silent_url: str) -> None:
    environment = new_environment(url=silent_url)
    answers_as_ever(environment)
    started = time.monotonic()
    assert environment.end() == -signal.SIGTERM
    assert time.monotonic() - started < GRACE_S


def test_halted_gateway_is_not_felt_and_then_gets_everything(gateway: Any, new_environment: Any) -> None:
    environment = new_environment()
    environment.invoke()
    gateway.eventually(1)
    gateway.signal(signal.SIGSTOP)
    answers_as_ever(environment)
    gateway.signal(signal.SIGCONT)
    gateway.eventually(CALLS + 1)


def test_gateway_that_refuses_is_not_felt_and_then_gets_everything(
    gateway: Any, new_environment: Any
) -> None:
    other = "/metrics/job/other/instance/e0"
    gateway.ask("PUT", other, "# TYPE orders_total gauge\norders_total 0\n")
    environment = new_environment()
    answers_as_ever(environment)
    wait_until(lambda: "e1" in gateway.group_names(), timeout_s=START_S, what="a refused push")
    assert gateway.total() == 0
    gateway.ask("DELETE", other)
    gateway.eventually(CALLS)
    assert gateway.total(FAILED) >= 1


def test_restarted_gateway_is_filled_without_an_invocation(gateway: Any, new_environment: Any) -> None:
    environment = new_environment()
    answers_as_ever(environment)
    gateway.eventually(CALLS)
    gateway.stop()
    gateway.start()
    gateway.eventually(CALLS)
