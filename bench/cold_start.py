"""What the Lambda executor adds: a cold start beside a bare interpreter's, and a warm call inside it.

Times are those of the REPORT line, as on AWS: `Init Duration` from the start of the process until the handler
is imported, `Duration` from the event's delivery to the answer. The function imports and does nothing.

    .venvs/app/bin/python bench/cold_start.py
"""

import argparse
import base64
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gateway_path import FUNCTION, client, running_gateway

INIT = re.compile(r"Init Duration: ([0-9.]+) ms")
DURATION = re.compile(r"\tDuration: ([0-9.]+) ms")
WARM_CALLS = 10


def main() -> None:
    """Start a LocalStack, make each round's environment new, print the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    bare_ms, cold_ms, warm_ms = [], [], []
    with (
        tempfile.TemporaryDirectory(prefix="cold-start-") as folder,
        running_gateway(Path(folder), "direct", "1") as path,
    ):
        functions = client("lambda", path.port)
        for number in range(rounds):
            bare_ms.append(_bare_ms())
            functions.update_function_configuration(FunctionName=FUNCTION, Description=f"round {number}")
            functions.get_waiter("function_updated_v2").wait(
                FunctionName=FUNCTION, WaiterConfig={"Delay": 0.1}
            )
            cold_ms.append(_reported_ms(functions, INIT))
            warm_ms += [_reported_ms(functions, DURATION) for _ in range(WARM_CALLS)]
    bare = statistics.median(bare_ms)
    for name, measured in (("bare interpreter", bare_ms), ("cold start", cold_ms), ("warm call", warm_ms)):
        median = statistics.median(measured)
        print(f"{name:<17}{median:>7.1f} ms{median / bare:>7.2f} x bare")


def _bare_ms() -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return (time.perf_counter() - begun) * 1000


def _reported_ms(functions: Any, pattern: re.Pattern[str]) -> float:  # noqa: ANN401 - boto3 makes its clients at run time
    answer = functions.invoke(FunctionName=FUNCTION, LogType="Tail")
    report = base64.b64decode(answer["LogResult"]).decode()
    if (found := pattern.search(report)) is None:
        raise SystemExit(f"no {pattern.pattern!r} in {report!r}")
    return float(found[1])


if __name__ == "__main__":
    main()
