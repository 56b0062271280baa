"""What the Pushgateway provider costs a function beside its likes: its import, and a handler's time.

Imports: a fresh interpreter with Powertools, Chalice and a Postgres driver, with nothing more, with the
provider, and with prometheus_client. Handlers: three metrics and two dimensions, with metrics switched off,
in the log (Powertools' own provider, EMF), and pushed to a gateway that is not there. In turns, so that a
busy moment falls on all alike.

    .venvs/app/bin/python bench/metrics_provider.py
"""

import argparse
import os
import statistics
import subprocess
import sys

PACKAGE = """
import time
begun = time.perf_counter()
import aws_lambda_powertools.metrics, chalice.app, psycopg2
"""
IMPORTS = {
    "package": "",
    "with this provider": "import powertools_pushgateway",
    "with prometheus_client": "import prometheus_client",
}
OURS = (
    "from powertools_pushgateway import PushgatewayProvider",
    'provider=PushgatewayProvider("http://127.0.0.1:9")',
)
PROVIDERS = {"none": OURS, "in the log (EMF)": ("", 'namespace="bench", service="bench"'), "pushed": OURS}
HANDLER = """
import os, statistics, sys, time
from aws_lambda_powertools.metrics import Metrics, MetricUnit
{imported}
metrics = Metrics({arguments})

@metrics.log_metrics
def handler(event, context):
    metrics.add_dimension(name="route", value="/orders")
    metrics.add_dimension(name="status", value="202")
    metrics.add_metric(name="orders_total", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="requests_total", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="request_seconds", unit=MetricUnit.Seconds, value=0.004)

answers = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
taken_s = []
for _ in range({calls}):
    begun = time.perf_counter()
    handler({{}}, None)
    taken_s.append(time.perf_counter() - begun)
os.write(answers, str(statistics.median(taken_s)).encode())
"""
CALLS = 2000


def main() -> None:
    """Measure in turns; print the medians and their ratios to the first."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=15, help="fresh interpreters each")
    runs = parser.parse_args().runs
    imports = {name: f"{PACKAGE}{more}\nprint(time.perf_counter() - begun)" for name, more in IMPORTS.items()}
    handlers = {
        name: HANDLER.format(imported=imported, arguments=arguments, calls=CALLS)
        for name, (imported, arguments) in PROVIDERS.items()
    }
    _print("import", imports, runs, per_s=1e3, unit="ms")
    _print("handler", handlers, runs, per_s=1e6, unit="µs")


def _print(title: str, codes: dict[str, str], runs: int, *, per_s: float, unit: str) -> None:
    print(f"{title:<24}{'median':>10}{'ratio':>8}")
    taken_s: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(runs):
        for name, code in codes.items():
            taken_s[name].append(_run(code, switched_off=name == "none"))
    medians = {name: statistics.median(each) for name, each in taken_s.items()}
    first = next(iter(medians.values()))
    for name, median in medians.items():
        print(f"{name:<24}{median * per_s:>7.1f} {unit}{median / first:>8.2f}")


def _run(code: str, *, switched_off: bool) -> float:
    """Give the seconds that a fresh interpreter says it took."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": "functions/common",
        "POWERTOOLS_METRICS_DISABLED": str(switched_off).lower(),
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)  # noqa: S603 - our own words
    return float(done.stdout)


if __name__ == "__main__":
    main()
