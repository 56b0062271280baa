"""One message names the cause: what merely follows from it is held back. The real Alertmanager says so."""

import json
import os
from collections.abc import Iterator, Mapping

import pytest
import urllib3

from stack.context import Context
from stack.parts.alertmanager import alertmanager
from tests.integration.parts import START_S, Process, wait_until
from tests.integration.stack.test_door import is_well

pytestmark = pytest.mark.integration

BY_PART = ("alertname", "part")
POSTGRES_DOWN = {"alertname": "PartDown", "part": "postgres", "severity": "critical"}


class Alertmanager:
    """A running one, spoken to over its API."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v2/alerts"

    def send(self, *alerts: dict[str, str]) -> None:
        """Let these fire."""
        body = json.dumps([{"labels": labels} for labels in alerts])
        answer = urllib3.request("POST", self._url, body=body, headers={"Content-Type": "application/json"})
        assert answer.status == 200, answer.data

    def expect(
        self,
        states: Mapping[tuple[str, str], str] | Mapping[tuple[str, str, str], str],
        labels: tuple[str, ...],
    ) -> None:
        """Wait until each alert, named by these labels, is `active` or `suppressed` as given."""

        def found() -> dict[tuple[str, ...], str]:
            alerts = urllib3.request("GET", self._url).json()
            return {
                tuple(alert["labels"].get(label, "") for label in labels): alert["status"]["state"]
                for alert in alerts
            }

        wait_until(lambda: found() == states, timeout_s=START_S, what=f"{states}")


@pytest.fixture
def running(context: Context) -> Iterator[Alertmanager]:
    part = alertmanager(context)
    process = Process(part.command, context.paths.log_of(part.name), environment=os.environ)
    wait_until(lambda: is_well(part), timeout_s=START_S, what=part.name)
    yield Alertmanager(f"http://127.0.0.1:{context.settings.alertmanager_port}")
    process.stop()


def test_what_a_dead_part_causes_is_held_back(running: Alertmanager) -> None:
    symptom = {"alertname": "JobsFail", "severity": "critical", "symptom": "true"}
    disk = {"alertname": "DiskFull", "severity": "warning"}
    running.send(symptom, disk)
    alone = {("JobsFail", ""): "active", ("DiskFull", ""): "active"}
    running.expect(alone, BY_PART)
    running.send(POSTGRES_DOWN)
    caused = {("JobsFail", ""): "suppressed", ("PartDown", "postgres"): "active"}
    running.expect(alone | caused, BY_PART)


def test_exporter_that_is_down_hides_no_symptom(running: Alertmanager) -> None:
    running.send(
        {"alertname": "PartDown", "part": "node", "severity": "critical"},
        {"alertname": "JobsFail", "severity": "critical", "symptom": "true"},
    )
    running.expect({("PartDown", "node"): "active", ("JobsFail", ""): "active"}, BY_PART)


def test_critical_alert_of_a_part_holds_back_warnings_about_that_part_alone(running: Alertmanager) -> None:
    running.send(
        {"alertname": "RedisRejects", "part": "redis", "severity": "critical"},
        {"alertname": "RedisMemory", "part": "redis", "severity": "warning"},
        {"alertname": "PostgresConnections", "part": "postgres", "severity": "warning"},
        {"alertname": "DiskFull", "severity": "warning"},
    )
    expected = {
        ("RedisRejects", "redis"): "active",
        ("RedisMemory", "redis"): "suppressed",
        ("PostgresConnections", "postgres"): "active",
        ("DiskFull", ""): "active",
    }
    running.expect(expected, BY_PART)


def test_fast_burn_holds_back_the_slow_one_of_the_same_promise(running: Alertmanager) -> None:
    running.send(
        {"alertname": "JobsSlow", "severity": "critical", "model": "iris"},
        {"alertname": "JobsSlow", "severity": "warning", "model": "iris"},
        {"alertname": "JobsSlow", "severity": "warning", "model": "other"},
        {"alertname": "JobsFail", "severity": "warning", "model": "iris"},
    )
    expected = {
        ("JobsSlow", "critical", "iris"): "active",
        ("JobsSlow", "warning", "iris"): "suppressed",
        ("JobsSlow", "warning", "other"): "active",
        ("JobsFail", "warning", "iris"): "active",
    }
    running.expect(expected, labels=("alertname", "severity", "model"))
