"""What Nginx answers is what mtail counts: each request once, under a route that is no path."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3
from prometheus_client.parser import text_string_to_metric_families

from stack.context import Context
from stack.parts.mtail import mtail
from stack.parts.nginx import nginx
from stack.parts.nginx_exporter import nginx_exporter
from stack.parts.part import NotReadyError, Part
from tests.integration.parts import START_S, Process, wait_until

pytestmark = pytest.mark.integration

TASK = "0b1ff2a6-9a4e-4c1c-b5a5-0d1c24a3f1c6"
REQUESTS = [
    # method, address, times, route, method's label, status (nothing is deployed, so the API's own are 503)
    ("POST", "/predict", 7, "/predict", "POST", "503"),
    ("POST", "/predict/?x=1", 2, "/predict", "POST", "503"),
    ("GET", "/predict", 3, "/predict", "GET", "405"),
    ("GET", "/results", 2, "/results", "GET", "503"),
    ("GET", f"/results/{TASK}", 5, "/results/{task_id}", "GET", "503"),
    ("DELETE", f"/results/{TASK}?wait=3", 1, "/results/{task_id}", "DELETE", "503"),
    ("GET", f"/results/{TASK}?wait=3", 4, "/results/{task_id}?wait", "GET", "503"),
    ("POST", f"/results/{TASK}/requeue", 2, "/results/{task_id}/requeue", "POST", "503"),
    ("GET", "/health", 1, "/health", "GET", "503"),
    ("GET", "/ready", 1, "/ready", "GET", "503"),
    ("GET", "/nothing/here", 3, "other", "GET", "404"),
    ("BREW", "/pot", 2, "other", "other", "404"),
]


@contextmanager
def running(part: Part, context: Context) -> Iterator[Process]:
    """Start a part as the supervisor would, and end it."""
    part.prepare()
    process = Process(
        part.command, context.paths.log_of(part.name), environment=os.environ | part.environment
    )
    try:
        wait_until(lambda: is_well(part), timeout_s=START_S, what=part.name)
        yield process
    finally:
        process.stop(signal.Signals[f"SIG{part.stop_signal}"])


def is_well(part: Part) -> bool:
    try:
        part.probe()
    except NotReadyError:
        return False
    return True


def read_counts(context: Context) -> Counter[tuple[str, ...]]:
    """Requests by route, method and status; and by route alone those that were timed."""
    page = urllib3.request("GET", f"http://127.0.0.1:{context.settings.mtail_port}/metrics").data.decode()
    counts: Counter[tuple[str, ...]] = Counter()
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == "http_requests_total":
                counts[tuple(sample.labels[name] for name in ("route", "method", "status"))] = int(
                    sample.value
                )
            if sample.name == "http_request_seconds_count":
                counts[(sample.labels["route"],)] = int(sample.value)
    return counts


def expect(context: Context, expected: Counter[tuple[str, ...]]) -> None:
    wait_until(lambda: read_counts(context) == expected, timeout_s=START_S, what=f"{expected}")


def line(route: str, status: int = 200) -> str:
    """A line as Nginx writes it."""
    return (
        '{"timestamp":"2026-01-31T10:00:00+00:00","service":"nginx","correlation_id":"c1","method":"GET",'
        f'"route":"{route}","status":{status},"request_time_s":0.012,"path":"/x","upstream_time_s":""}}\n'
    )


def append(log: Path) -> Callable[[str], None]:
    def write(text: str) -> None:
        with log.open("a") as file:
            file.write(text)

    return write


def test_each_request_is_counted_once_by_route_method_and_status(context: Context) -> None:
    door = nginx(context)
    with running(mtail(context), context), running(door, context):
        before = read_counts(context)
        expected = before.copy()
        with urllib3.PoolManager(retries=False) as http:
            for method, path, times, route, label, status in REQUESTS:
                for _ in range(times):
                    answer = http.request(method, f"http://127.0.0.1:{context.settings.http_port}{path}")
                    assert str(answer.status) == status, (method, path)
                expected[route, label, status] += times
                expected[(route,)] += times
        # The probe that found Nginx well asked for a page that is not there.
        wait_until(
            lambda: read_counts(context).total() >= expected.total(), timeout_s=START_S, what="every line"
        )
        found = read_counts(context)
        probes = found["other", "GET", "404"] - expected["other", "GET", "404"]
        assert 0 <= probes <= 1
        expected["other", "GET", "404"] += probes
        expected[("other",)] += probes
        assert found == expected
        assert not any(TASK in label for labels in found for label in labels)


def test_nginx_tells_of_its_connections_on_the_socket_alone(context: Context) -> None:
    with running(nginx(context), context), running(nginx_exporter(context), context):
        page = urllib3.request("GET", f"http://127.0.0.1:{context.settings.nginx_exporter_port}/metrics").data
        assert b"nginx_connections_active" in page
        public = urllib3.request("GET", f"http://127.0.0.1:{context.settings.http_port}/stub_status")
        assert public.status == 404


def test_only_complete_lines_count_and_each_other_line_is_passed_over(context: Context) -> None:
    write = append(context.paths.log_of("nginx"))
    with running(mtail(context), context):
        whole = line("/health")
        write("2026/01/31 10:00:00 [warn] 1#1: something else\n" + whole + whole[:60])
        expect(context, Counter({("/health", "GET", "200"): 1, ("/health",): 1}))
        write(whole[60:])
        expect(context, Counter({("/health", "GET", "200"): 2, ("/health",): 2}))


def test_restarted_mtail_counts_nothing_again(context: Context) -> None:
    write = append(context.paths.log_of("nginx"))
    with running(mtail(context), context):
        write(line("/health") * 3)
        expect(context, Counter({("/health", "GET", "200"): 3, ("/health",): 3}))
    with running(mtail(context), context):
        write(line("/ready"))
        expect(context, Counter({("/ready", "GET", "200"): 1, ("/ready",): 1}))


def test_renamed_log_loses_and_repeats_nothing(context: Context) -> None:
    log = context.paths.log_of("nginx")
    write = append(log)
    with running(mtail(context), context):
        for rotation in range(3):
            write(line("/health") * 100)
            # As the supervisor does it at 10 MB, with what follows written at once.
            log.rename(log.with_name(f"nginx.log.{rotation}"))
            write(line("/health") * 100)
            total = 200 * (rotation + 1)
            expect(context, Counter({("/health", "GET", "200"): total, ("/health",): total}))
