"""What Prometheus reads of this LocalStack's functions: how many run, how they end, how long they take."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from localstack_process_executor import aws_errors
from localstack_process_executor.aws_errors import FunctionFailure

OUTCOMES = ("ok", "error", "timeout", "out_of_memory", "exit", "throttled")
STOPPED, PUT_AWAY = END_REASONS = ("stopped", "put_away")
STATES = ("waiting", "starting", "idle", "busy", "stopping")
AT_WORK = frozenset({"starting", "busy"})
BYTES_PER_MB = 1024 * 1024
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# A bare function takes 0.2 s, one with its libraries 1 to 2 s on a busy laptop; AWS ends it after 10 s.
INIT_BUCKETS_S = (0.1, 0.2, 0.5, 1, 2, 4, 7, 10)
# A warm call takes a few milliseconds; 2 s is a statement's limit, 6 s a submit's and 28 s a long poll's.
DURATION_BUCKETS_S = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 6, 10, 20, 28)


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """A function as it is deployed now."""

    name: str
    memory_size_mb: int
    reserved_concurrency: int | None


class LambdaMetrics:
    """Counts what happens; series of functions that are deployed no more are left out when it is read."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._known: set[str] = set()
        self._started = self._counter("lambda_environments_started", "Environments that were started.")
        self._ended = self._counter("lambda_environments_ended", "Environments that were ended.", "reason")
        self._invocations = self._counter("lambda_invocations", "Invocations by their end.", "outcome")
        self._init = self._histogram("lambda_init_seconds", "Init phase.", INIT_BUCKETS_S)
        self._duration = self._histogram("lambda_duration_seconds", "Invocation.", DURATION_BUCKETS_S)

    def started(self, function: str) -> None:
        """An environment begins its init phase."""
        self._of(function)
        self._started.labels(function).inc()

    def initialised(self, function: str, init_s: float) -> None:
        """The init phase is over, well or not."""
        self._of(function)
        self._init.labels(function).observe(init_s)

    def ended(self, function: str, reason: str) -> None:
        """An environment's process was told to end: `stopped` by LocalStack, or `put_away` to make room."""
        self._of(function)
        self._ended.labels(function, reason).inc()

    def invoked(self, function: str, duration_s: float, failure: FunctionFailure | None) -> None:
        """An invocation came to its end."""
        self._of(function)
        self._invocations.labels(function, outcome_of(failure)).inc()
        self._duration.labels(function).observe(duration_s)

    def throttled(self, function: str) -> None:
        """A call was refused, since as many as may run did."""
        self._of(function)
        self._invocations.labels(function, "throttled").inc()

    def render(self, environments: Iterable[dict[str, object]], functions: Iterable[FunctionFacts]) -> bytes:
        """Everything in Prometheus' text format.

        Args:
            environments: as the registry describes them.
            functions: those that are deployed.
        """
        described, deployed = list(environments), list(functions)
        for one in deployed:
            self._of(one.name)
        self._forget_all_but({str(one["function"]) for one in described} | {one.name for one in deployed})
        now = CollectorRegistry()
        now.register(_Now(described, deployed))
        return generate_latest(now) + generate_latest(self._registry)

    def _of(self, function: str) -> None:
        """Begin its counters at zero: Prometheus sees no increase in a series that begins at one."""
        if function in self._known:
            return
        self._known.add(function)
        self._started.labels(function)
        for outcome in OUTCOMES:
            self._invocations.labels(function, outcome)
        for reason in END_REASONS:
            self._ended.labels(function, reason)

    def _forget_all_but(self, living: set[str]) -> None:
        for gone in self._known - living:
            for metric in (self._started, self._ended, self._invocations, self._init, self._duration):
                metric.remove_by_labels({"function": gone})
            self._known.discard(gone)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, ("function", *labels), registry=self._registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, ("function",), buckets=buckets, registry=self._registry)


def outcome_of(failure: FunctionFailure | None) -> str:
    """The word for an invocation's end."""
    if failure is None:
        return "ok"
    if failure.status == "timeout":
        return "timeout"
    if failure.reported_type == aws_errors.OUT_OF_MEMORY:
        return "out_of_memory"
    exits = {aws_errors.EXIT_ERROR, aws_errors.INVALID_ENTRYPOINT}
    return "exit" if failure.error_type in exits else "error"


def resident_bytes(pid: int) -> int:
    """What the process has in memory now; 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (OSError, IndexError):
        return 0


class _Now(Collector):
    """Gauges, from what is there at the moment of reading."""

    def __init__(
        self,
        environments: list[dict[str, object]],
        functions: list[FunctionFacts],
        resident: Callable[[int], int] = resident_bytes,
    ) -> None:
        self._environments = environments
        self._functions = functions
        self._resident = resident
        self._names = sorted({str(one["function"]) for one in environments} | {one.name for one in functions})

    def collect(self) -> Iterable[Metric]:
        yield self._states()
        yield self._gauge("lambda_busy_environments", "Environments that work, or start to.", self._busy)
        yield self._gauge(
            "lambda_memory_bytes", "Largest resident size of a function's process.", self._memory
        )
        limit = GaugeMetricFamily("lambda_memory_limit_bytes", "MemorySize.", labels=["function"])
        reserved = GaugeMetricFamily("lambda_reserved_concurrency", "Most at once.", labels=["function"])
        for one in self._functions:
            limit.add_metric([one.name], one.memory_size_mb * BYTES_PER_MB)
            if one.reserved_concurrency is not None:
                reserved.add_metric([one.name], one.reserved_concurrency)
        yield limit
        yield reserved

    def _states(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily(
            "lambda_environments", "Environments there are.", labels=["function", "state"]
        )
        for name in self._names:
            for state in STATES:
                family.add_metric([name, state], sum(1 for one in self._of(name) if one["state"] == state))
        return family

    def _gauge(self, name: str, text: str, value: Callable[[str], float]) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, text, labels=["function"])
        for function in self._names:
            family.add_metric([function], value(function))
        return family

    def _busy(self, function: str) -> float:
        return sum(1 for one in self._of(function) if one["state"] in AT_WORK)

    def _memory(self, function: str) -> float:
        pids = [pid for one in self._of(function) if isinstance(pid := one["pid"], int)]
        return max((self._resident(pid) for pid in pids), default=0)

    def _of(self, function: str) -> list[dict[str, object]]:
        return [one for one in self._environments if one["function"] == function]
