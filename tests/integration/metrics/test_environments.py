"""Environments of one function push a group each: these add up, outlive the process, and are cleaned up."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from powertools_pushgateway.cleaner import CleanerError, Patience, clean, main

from tests.integration.parts import ROOT, START_S, Process, free_port, wait_until

pytestmark = pytest.mark.integration

NEVER_AGAIN = {"push_every_s": 3600.0, "heartbeat_s": 3600.0}
AT_ONCE = Patience(ended_s=-5, silent_s=-5)
"""The gateway's clock has whole seconds."""
OWN_EXIT_STATUS = 3


def test_counters_of_two_environments_sum(new_environment: Any, query: Callable[[str], float | None]) -> None:
    first, second = new_environment("e1"), new_environment("e2")
    for orders in range(1, 11):
        first.invoke(orders)
        second.invoke(10 * orders)

    def shows(promql: str, value: float) -> None:
        wait_until(lambda: query(promql) == value, timeout_s=START_S, what=f"{promql} {value}")

    shows('sum(orders_total{job="predict",route="/orders"})', 605)
    shows('orders_total{instance="e1"}', 55)
    shows("sum(cold_start_total)", 2)
    shows("sum(order_value_seconds_count)", 20)
    second.end()
    shows("sum(orders_total)", 605)
    third = new_environment("e3")
    third.invoke(1)
    shows("sum(max_over_time(orders_total[1m]))", 606)


def test_what_is_pushed_pleases_prometheus_own_linter(gateway: Any, new_environment: Any) -> None:
    new_environment().invoke()
    gateway.eventually(1)
    text = gateway.ask("GET", "/metrics").data
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    findings = done.stdout.decode() + done.stderr.decode()
    assert not [line for line in findings.splitlines() if line.startswith(("orders", "order_", "powertools"))]


def test_sigterm_pushes_what_was_not_yet(gateway: Any, new_environment: Any) -> None:
    environment = new_environment(rhythm=NEVER_AGAIN)
    environment.invoke(1)
    gateway.eventually(1)
    environment.invoke(10)
    assert environment.end() == -signal.SIGTERM
    gateway.eventually(11)


def test_sigterm_then_does_what_the_function_wants(gateway: Any, new_environment: Any) -> None:
    environment = new_environment(rhythm=NEVER_AGAIN, OWN_HANDLER="yes")
    environment.invoke(1)
    gateway.eventually(1)
    environment.invoke(10)
    assert environment.end() == OWN_EXIT_STATUS
    gateway.eventually(11)


def test_orderly_exit_pushes_too(gateway: Any, new_environment: Any) -> None:
    environment = new_environment(rhythm=NEVER_AGAIN)
    environment.invoke(1)
    gateway.eventually(1)
    environment.invoke(10)
    assert environment.end(None) == 0
    gateway.eventually(11)


def test_cleaner_removes_the_dead_and_leaves_the_living_and_the_foreign(
    gateway: Any, new_environment: Any
) -> None:
    alive, dead = new_environment("alive"), new_environment("dead")
    for environment in (alive, dead):
        environment.invoke()
    gateway.ask("PUT", "/metrics/job/backup/instance/foreign", "backup_size_bytes 1\n")
    gateway.eventually(2)
    dead.end(signal.SIGKILL)
    # Nothing says that it has ended: only its silence.
    assert clean(gateway.url, Patience(ended_s=0, silent_s=60)) == 0
    silent = Patience(ended_s=60, silent_s=2)
    wait_until(lambda: clean(gateway.url, silent), timeout_s=START_S, what="a group to be old")
    assert gateway.group_names() == {"alive", "foreign"}
    assert clean(gateway.url, silent) == 0


def test_environment_that_ended_in_order_is_removed_long_before_it_would_be_for_its_silence(
    gateway: Any, new_environment: Any
) -> None:
    alive, stopped = new_environment("alive"), new_environment("stopped")
    for environment in (alive, stopped):
        environment.invoke()
    gateway.eventually(2)
    stopped.end()
    assert clean(gateway.url, Patience(ended_s=60, silent_s=60)) == 0
    marked = Patience(ended_s=1, silent_s=60)
    wait_until(lambda: clean(gateway.url, marked), timeout_s=START_S, what="a group to be old")
    assert gateway.group_names() == {"alive"}


def test_cleaner_takes_no_more_than_its_limit(gateway: Any, new_environment: Any) -> None:
    for instance in ("a", "b", "c"):
        environment = new_environment(instance)
        environment.invoke()
        environment.end()
    gateway.eventually(3)
    assert [clean(gateway.url, AT_ONCE, limit=2) for _ in range(3)] == [2, 1, 0]


def test_group_deleted_too_early_comes_back_whole(gateway: Any, new_environment: Any) -> None:
    environment = new_environment()
    environment.invoke(7)
    gateway.eventually(7)
    assert main(["--url", gateway.url, "--silent-s", "-5"]) == 0
    gateway.eventually(7)
    environment.invoke(1)
    gateway.eventually(8)


def test_cleaner_says_that_there_is_no_gateway(capsys: pytest.CaptureFixture[str]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(CleanerError):
        clean(url)
    assert main(["--url", url]) == 1
    assert "did not answer" in capsys.readouterr().err


def test_cleaner_goes_on_where_the_gateway_comes_back_and_stops_at_once(
    pushgateway: Any, new_environment: Any, folder: Path
) -> None:
    options = ["--url", pushgateway.url, "--every-s", "0.05", "--silent-s", "-5"]
    cleaner = Process(
        [sys.executable, "-m", "powertools_pushgateway.cleaner", *options],
        folder / "cleaner.log",
        environment=os.environ | {"PYTHONPATH": str(ROOT / "functions" / "common")},
    )
    wait_until(lambda: "did not answer" in cleaner.output, timeout_s=START_S, what="its complaint")
    pushgateway.start()
    environment = new_environment(rhythm=NEVER_AGAIN)
    environment.invoke()
    wait_until(lambda: "deleted 1 groups" in cleaner.output, timeout_s=START_S, what="the group to go")
    assert cleaner.stop() == 0
