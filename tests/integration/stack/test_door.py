"""What Nginx answers is what mtail counts: each request once, under a route that is no path."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest
import urllib3
from prometheus_client.parser import text_string_to_metric_families

from stack.context import Context
from stack.parts.mtail import mtail
from stack.parts.nginx import nginx
from stack.parts.nginx_exporter import nginx_exporter
from stack.parts.part import NotReadyError, Part
from stack.parts.prometheus import prometheus
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

SUBMIT = ("/predict", "POST")
CALLS = [
    SUBMIT,
    ("/results", "GET"),
    ("/results/{task_id}", "GET"),
    ("/results/{task_id}", "DELETE"),
    ("/results/{task_id}?wait", "GET"),
    ("/results/{task_id}/requeue", "POST"),
    ("/health", "GET"),
    ("/ready", "GET"),
]
ERRORS = ("500", "502", "503", "504")
SCRAPED_S = 30
"""A scrape every 5 s, on a busy machine."""


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
                labels = tuple(sample.labels[name] for name in ("route", "method", "status"))
                counts[labels] = int(sample.value)
            if sample.name == "http_request_seconds_count":
                counts[(sample.labels["route"],)] += int(sample.value)
    return counts


def ask(context: Context, promql: str) -> float | None:
    """Ask Prometheus for one number."""
    address = f"http://127.0.0.1:{context.settings.prometheus_port}/api/v1/query"
    result = urllib3.request("GET", address, fields={"query": promql}).json()["data"]["result"]
    return float(result[0]["value"][1]) if result else None


def expect(context: Context, expected: Counter[tuple[str, ...]]) -> None:
    wait_until(lambda: read_counts(context) == expected, timeout_s=START_S, what=f"{expected}")


def read_accepted_seconds(context: Context, at_most: str) -> tuple[int, int]:
    """Submits that were accepted within so many seconds, and all that were."""
    page = urllib3.request("GET", f"http://127.0.0.1:{context.settings.mtail_port}/metrics").data.decode()
    found = {
        (sample.name, sample.labels.get("le")): int(sample.value)
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name.startswith("http_request_seconds") and sample.labels["class"] == "2xx"
    }
    return found["http_request_seconds_bucket", at_most], found["http_request_seconds_count", None]


def line(route: str, status: int = 200, method: str = "GET", seconds: str = "0.012") -> str:
    """A line as Nginx writes it."""
    return (
        '{"timestamp":"2026-01-31T10:00:00+00:00","service":"nginx","correlation_id":"c1",'
        f'"method":"{method}","route":"{route}","status":{status},"request_time_s":{seconds},'
        '"path":"/x","upstream_time_s":""}\n'
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


def test_errors_begin_at_zero_as_soon_as_nginx_is_well(context: Context) -> None:
    with running(mtail(context), context), running(nginx(context), context):
        wait_until(lambda: read_counts(context), timeout_s=START_S, what="the first line")
        found = read_counts(context)
        expected = [
            *product(CALLS, ERRORS),
            (SUBMIT, "202"),
            (SUBMIT, "400"),
            (SUBMIT, "422"),
            (SUBMIT, "429"),
        ]
        assert {(*call, status) for call, status in expected} <= set(found)
        assert {found[*call, status] for call, status in expected} == {0}


def test_first_burst_of_errors_is_an_increase_to_prometheus(context: Context) -> None:
    write = append(context.paths.log_of("nginx"))
    with running(mtail(context), context), running(prometheus(context), context):
        write("the look at nginx that ends its start\n")
        burst = 'http_requests_total{job="door",route="/predict",status="503"}'
        wait_until(lambda: ask(context, burst) == 0, timeout_s=SCRAPED_S, what="a zero in Prometheus")
        write(line("/predict", 503, "POST") * 20)
        wait_until(lambda: ask(context, burst) == 20, timeout_s=SCRAPED_S, what="the burst in Prometheus")
        assert ask(context, f"increase({burst}[1m])") >= 20


def test_time_of_refusals_is_not_that_of_accepted_submits(context: Context) -> None:
    write = append(context.paths.log_of("nginx"))
    with running(mtail(context), context):
        write(line("/predict", 202, "POST", "0.030") * 3 + line("/predict", 202, "POST", "2.500"))
        write(line("/predict", 503, "POST", "0.001") * 50 + line("/predict", 429, "POST", "0.001") * 50)
        expected = {
            ("/predict", "POST", "202"): 4,
            ("/predict", "POST", "503"): 50,
            ("/predict", "POST", "429"): 50,
        }
        expect(context, Counter(expected | {("/predict",): 104}))
        assert read_accepted_seconds(context, at_most="2") == (3, 4)


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
