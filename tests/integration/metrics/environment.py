"""One execution environment as a process: a handler with metrics, invoked by each line of standard input."""

import json
import os
import select
import signal
import sys
import time

from aws_lambda_powertools.metrics import Metrics, MetricUnit
from powertools_pushgateway import PushgatewayProvider
from powertools_pushgateway.config import Limits
from powertools_pushgateway.pusher import Rhythm

OWN_EXIT_STATUS = 3
SIGNALS_EVERY_S = 0.05


def end_as_told(*_: object) -> None:
    raise SystemExit(OWN_EXIT_STATUS)


if os.environ.get("OWN_HANDLER"):
    signal.signal(signal.SIGTERM, end_as_told)

metrics = Metrics(
    provider=PushgatewayProvider(  # type: ignore[arg-type] # Powertools names its own provider only
        os.environ["PUSHGATEWAY_URL"],
        Limits(dimensions=("route",), rhythm=Rhythm(**json.loads(os.environ["RHYTHM"]))),
        service="predict",
    )
)


@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, int], _context: object) -> dict[str, int]:
    """Count as many orders as asked."""
    metrics.add_dimension(name="route", value="/orders")
    metrics.add_metric(name="orders", unit=MetricUnit.Count, value=event["orders"])
    metrics.add_metric(name="order_value", unit=MetricUnit.Milliseconds, value=12)
    return {"accepted": event["orders"]}


def next_line() -> str:
    """Wait for a line with a look at signals: one that comes just before a read is handled only after it."""
    while not select.select([sys.stdin], [], [], SIGNALS_EVERY_S)[0]:
        pass
    return sys.stdin.readline()


while line := next_line():
    started = time.perf_counter()
    answer = handler(json.loads(line), None)
    sys.stdout.write(json.dumps({**answer, "elapsed_s": time.perf_counter() - started}) + "\n")
    sys.stdout.flush()
