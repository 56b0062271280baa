"""The real Prometheus tells that answers have changed, from a day of counts that its store is given first."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from stack.context import Context
from stack.parts.prometheus import prometheus
from tests.integration.parts import wait_until
from tests.integration.stack.test_door import ask, running

pytestmark = pytest.mark.integration

MINUTE, HOUR = 60, 3600
DAY_AND_MORE = 26 * HOUR
TOLD_WITHIN_S = 60
"""Rules look every 15 s."""
USUAL, LATE = {"setosa": 5, "virginica": 5}, {"setosa": 9, "virginica": 1}
"""Answers a minute: half and half for a day, an hour of nine to one: four in ten would have been others."""


def written(now: int) -> Iterator[str]:
    """Give the worker's counts, and what was recorded of the day when an hour ago it was over."""
    labels = 'model="iris",version="1"'
    yield "# TYPE inference_worker_predictions counter"
    for label in USUAL:
        counted = 0
        for moment in range(now - DAY_AND_MORE, now + 1, MINUTE):
            counted += (USUAL if moment <= now - HOUR else LATE)[label]
            yield f'inference_worker_predictions_total{{{labels},label="{label}"}} {counted} {moment}'
    for name, of_label, value in (("rows", "", 14400), ("share", ',label="{}"', 0.5)):
        yield f"# TYPE inference:class_{name}:1d gauge"
        for label in USUAL if of_label else [""]:
            for moment in range(now - HOUR - 5 * MINUTE, now - HOUR + 5 * MINUTE, MINUTE):
                yield f"inference:class_{name}:1d{{{labels}{of_label.format(label)}}} {value} {moment}"
    yield "# EOF"


@pytest.fixture
def day(context: Context, tmp_path: Path) -> Context:
    """A stack whose Prometheus remembers a day."""
    file = tmp_path / "day.txt"
    file.write_text("\n".join(written(int(time.time()))) + "\n")
    store = context.paths.state / "prometheus"
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(file), str(store)]
    subprocess.run(command, check=True, capture_output=True)
    return context


def alerts(context: Context) -> list[tuple[str, str]]:
    address = f"http://127.0.0.1:{context.settings.prometheus_port}/api/v1/alerts"
    found = urllib3.request("GET", address).json()["data"]["alerts"]
    return [(alert["labels"]["alertname"], alert["labels"].get("model")) for alert in found]


def test_answers_that_have_changed_are_told(day: Context) -> None:
    with running(prometheus(day), day):
        expected = ("ClassMixChanged", "iris")
        wait_until(lambda: expected in alerts(day), timeout_s=TOLD_WITHIN_S, what="the alert")
        changed = ask(day, "inference:class_mix_change:1h")
    assert changed == pytest.approx(0.4, abs=0.02)
