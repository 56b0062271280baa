"""When is pushed: at once, then once an interval, again after a failure, and once more at the end."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from powertools_pushgateway import PushgatewayProvider
from powertools_pushgateway.config import Limits
from powertools_pushgateway.gateway import group_path
from powertools_pushgateway.pusher import Rhythm

FAILED = "powertools_pushgateway_failed_pushes_total"
ENDED = "powertools_pushgateway_ended"
LONG_S = 3600.0

type NewProvider = Callable[..., PushgatewayProvider]


def count(provider: PushgatewayProvider) -> None:
    provider.add_metric("Orders", "Count", 1)
    provider.flush_metrics()


def test_first_is_pushed_at_once_and_the_next_wait_for_the_interval(
    gateway: Any, new_provider: NewProvider
) -> None:
    provider = new_provider(Limits(rhythm=Rhythm(push_every_s=LONG_S), timeout_s=5))
    count(provider)
    gateway.eventually("orders_total", 1)
    for _ in range(10):
        count(provider)
    provider.finish()
    assert [int(body.partition("\norders_total ")[2][:2].rstrip(".")) for body in gateway.bodies] == [1, 11]


def test_nothing_new_is_pushed_again_as_a_heartbeat(
    gateway: Any, new_provider: NewProvider, poll: Any
) -> None:
    count(new_provider(Limits(rhythm=Rhythm(push_every_s=0, heartbeat_s=0.01))))
    poll(lambda: len(gateway.bodies) >= 3, "heartbeats")
    assert len(set(gateway.bodies)) == 1


def test_failed_pushes_lose_nothing_and_are_counted_and_logged_once(
    gateway: Any, new_provider: NewProvider, poll: Any, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.broken = True
    provider = new_provider()
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            count(provider)
        poll(lambda: gateway.attempts >= 3, "attempts")
        gateway.broken = False
        gateway.eventually("orders_total", 5)
        poll(lambda: len(caplog.records) > 1, "a word of the push that succeeded")
    assert gateway.values()[FAILED] >= 3
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["metrics cannot be pushed; values are kept", "metrics are pushed again"]


def test_thread_outlives_an_error_that_nobody_foresaw(
    gateway: Any, new_provider: NewProvider, poll: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = new_provider()
    failed: list[bytes] = []

    def fail(body: bytes) -> None:
        failed.append(body)
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(gateway, "put", fail)
        count(provider)
        count(provider)
        poll(lambda: bool(failed), "an error")
    gateway.eventually("orders_total", 2)


def test_invocation_does_not_wait_for_a_push(gateway: Any, new_provider: NewProvider) -> None:
    gateway.released.clear()
    provider = new_provider()
    started = time.monotonic()
    for _ in range(100):
        count(provider)
    assert time.monotonic() - started < 0.2
    gateway.released.set()
    gateway.eventually("orders_total", 100)


def test_end_waits_no_longer_than_its_limit(gateway: Any, new_provider: NewProvider, poll: Any) -> None:
    gateway.released.clear()
    provider = new_provider(Limits(timeout_s=0.01))
    count(provider)
    poll(lambda: gateway.attempts == 1, "a push")
    started = time.monotonic()
    provider.finish()
    assert time.monotonic() - started < 0.2


def test_invocation_after_an_end_is_pushed_too(gateway: Any, new_provider: NewProvider) -> None:
    provider = new_provider(Limits(timeout_s=5))
    count(provider)
    provider.finish()
    count(provider)
    provider.finish()
    assert gateway.values()["orders_total"] == 2


def test_last_push_says_so_even_with_nothing_new(gateway: Any, new_provider: NewProvider) -> None:
    provider = new_provider(Limits(rhythm=Rhythm(push_every_s=LONG_S), timeout_s=5))
    count(provider)
    gateway.eventually("orders_total", 1)
    assert gateway.values()[ENDED] == 0
    provider.finish()
    assert gateway.values()[ENDED] == 1


def test_system_without_a_thread_to_spare_is_counted(
    gateway: Any, new_provider: NewProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    provider = new_provider()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        count(provider)
    count(provider)
    gateway.eventually("orders_total", 1)
    assert gateway.values()['powertools_pushgateway_refusals_total{reason="thread"}'] == 1


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("predict", "/metrics/job/predict"),
        ("a/b", "/metrics/job@base64/YS9i"),
        ("é", "/metrics/job@base64/w6k="),
    ],
)
def test_group_is_a_path_whatever_the_name(value: str, path: str) -> None:
    assert group_path({"job": value}) == path
