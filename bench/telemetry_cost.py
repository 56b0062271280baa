"""What metrics cost a submit: the predict function with none, in its log (EMF), and pushed to a Pushgateway.

The gateway is alive, dead (nobody listens) or black-holed (takes the connection, never answers). Each way is
an environment of its own, the packaged function in a process, over one Postgres and Redis that the benchmark
starts. They are called in turns, in another order each round, so that a busy moment falls on all alike. The
ratio is the median over the rounds of a way's median to the median without metrics in the same round; between
its bounds it would lie in 95 of 100 repetitions. Processor time is all threads', so the pushing one's too.

    PYTHONPATH=.:contract .venvs/app/bin/python bench/telemetry_cost.py
"""

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

from stack.packaging import build_function
from tests.integration.parts import (
    ROOT,
    START_S,
    Postgres,
    Process,
    Redis,
    free_port,
    running_postgres,
    temporary_folder,
    wait_until,
)

NONE = "none"
CALLS_A_TURN = 10
"""Back to back: what one call leaves to the pushing thread then falls into the next."""
WARM_UP_CALLS = 50
GOAL = 0.03
REPETITIONS = 1000
ROOMY = str(10**6)
IRIS = """
INSERT INTO models (name, version, feature_names, classes, digest)
VALUES ('iris', '1', '["a", "b", "c", "d"]', '["x", "y"]', 'none')
"""
ENVIRONMENT = """
import json, sys, time
import app

class Context:
    function_name = "inference-predict"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:inference-predict"
    aws_request_id = "bench"
    def get_remaining_time_in_millis(self):
        return 6000

event = {
    "resource": "/predict", "path": "/predict", "httpMethod": "POST",
    "headers": {"Content-Type": "application/json", "X-Request-Id": "bench"},
    "multiValueQueryStringParameters": None, "pathParameters": None, "stageVariables": None,
    "body": '{"features": [5.1, 3.5, 1.4, 0.2]}', "isBase64Encoded": False,
    "requestContext": {
        "resourcePath": "/predict", "httpMethod": "POST", "requestId": "bench",
        "identity": {"sourceIp": "127.0.0.1"},
    },
}
answers = open(int(sys.argv[1]), "w", buffering=1)
for line in sys.stdin:
    taken_s = []
    used_before_s = time.process_time()
    for _ in range(int(line)):
        started = time.perf_counter()
        answer = app.app(event, Context())
        taken_s.append(time.perf_counter() - started)
        if answer["statusCode"] != 202:
            sys.exit(f"answered {answer}")
    print(json.dumps({"taken_s": taken_s, "used_s": time.process_time() - used_before_s}), file=answers)
"""


@dataclass(slots=True)
class Way:
    """One environment, what its calls took, and its median in each round; all in seconds."""

    name: str
    orders: int
    answers: int
    log: Path
    taken_s: list[float] = field(default_factory=list)
    medians_s: list[float] = field(default_factory=list)
    used_s: list[float] = field(default_factory=list)

    def call(self, times: int) -> dict[str, Any]:
        """Submit so many times, one after the other; returns what each took and what all used."""
        os.write(self.orders, f"{times}\n".encode())
        received = b""
        while not received.endswith(b"\n"):
            if not (chunk := os.read(self.answers, 65536)):
                raise SystemExit(f"{self.name}: the environment has ended: {self.log.read_text()[-2000:]}")
            received += chunk
        answer: dict[str, Any] = json.loads(received)
        return answer

    def measure(self) -> None:
        """Take one turn down."""
        answer = self.call(CALLS_A_TURN)
        self.taken_s += answer["taken_s"]
        self.medians_s.append(statistics.median(answer["taken_s"]))
        self.used_s.append(answer["used_s"] / CALLS_A_TURN)


def main() -> None:
    """Start all, call in turns, print the medians and their ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=600, help=f"rounds of {CALLS_A_TURN} submits a way")
    rounds = parser.parse_args().rounds
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder())
        postgres = stack.enter_context(_postgres(folder))
        redis = Redis(folder)
        redis.start()
        stack.callback(redis.stop)
        code = build_function("predict", folder / "predict")
        ways = [
            stack.enter_context(_environment(code, name, postgres, redis, own))
            for name, own in _settings(stack, folder).items()
        ]
        _measure(ways, rounds, postgres)
    _print(ways, rounds)


def _measure(ways: list[Way], rounds: int, postgres: Postgres) -> None:
    for way in ways:
        way.call(WARM_UP_CALLS)
    for _ in range(rounds):
        # A submit counts the open jobs: there are as many for each round.
        postgres.rows("TRUNCATE predictions CASCADE")
        for way in random.sample(ways, len(ways)):
            way.measure()


def _print(ways: list[Way], rounds: int) -> None:
    bare = next(way for way in ways if way.name == NONE)
    print(f"{'metrics':<20}{'submit p50':>12}{'p95':>11}{'to none':>9}{'between':>17}{'processor':>12}")
    bounds = {}
    for way in ways:
        ratios = [mine / none for mine, none in zip(way.medians_s, bare.medians_s, strict=True)]
        low, high = bounds[way.name] = _bounds(ratios)
        p50_ms = statistics.median(way.taken_s) * 1000
        p95_ms = statistics.quantiles(way.taken_s, n=20)[-1] * 1000
        used_ms = statistics.median(way.used_s) * 1000
        print(
            f"{way.name:<20}{p50_ms:>9.2f} ms{p95_ms:>8.2f} ms{statistics.median(ratios):>9.3f}"
            f"{low:>9.3f} - {high:.3f}{used_ms:>9.2f} ms"
        )
    for name, (low, high) in bounds.items():
        if name.startswith("pushed"):
            print(f"{name}: at most {GOAL:.0%} more is {_word(low, high)}")
    print(f"{rounds * CALLS_A_TURN} submits a way")


def _bounds(ratios: list[float]) -> tuple[float, float]:
    """Return where the median would lie in 95 of 100 repetitions, by drawing from the rounds again."""
    medians = [statistics.median(random.choices(ratios, k=len(ratios))) for _ in range(REPETITIONS)]  # noqa: S311 - no secret
    percentiles = statistics.quantiles(medians, n=40)
    return percentiles[0], percentiles[-1]


def _word(low: float, high: float) -> str:
    if high <= 1 + GOAL:
        return "held"
    return (
        "not held"
        if low > 1 + GOAL
        else "not to be told: this machine is too busy, or there are too few rounds"
    )


def _settings(stack: ExitStack, folder: Path) -> dict[str, dict[str, str]]:
    alive, stopped = (_gateway(stack, folder / f"gateway-{number}.log") for number in range(2))
    os.kill(stopped[1].pid, signal.SIGSTOP)
    stack.callback(os.kill, stopped[1].pid, signal.SIGCONT)
    nobody = f"http://127.0.0.1:{free_port()}"
    return {
        NONE: {"POWERTOOLS_METRICS_DISABLED": "true", "PUSHGATEWAY_URL": nobody},
        "in the log (EMF)": {},
        "pushed": {"PUSHGATEWAY_URL": alive[0]},
        "pushed, dead": {"PUSHGATEWAY_URL": nobody},
        "pushed, black-holed": {"PUSHGATEWAY_URL": stopped[0]},
    }


def _gateway(stack: ExitStack, log: Path) -> tuple[str, Process]:
    address = f"127.0.0.1:{free_port()}"
    process = Process(["prometheus-pushgateway", f"--web.listen-address={address}"], log)
    stack.callback(process.kill)
    http = urllib3.PoolManager(retries=False, timeout=1)
    stack.callback(http.clear)

    def is_ready() -> bool:
        try:
            return http.request("GET", f"http://{address}/-/ready").status == 200  # noqa: PLR2004 - HTTP's own
        except urllib3.exceptions.HTTPError:
            return False

    wait_until(is_ready, timeout_s=START_S, what="the Pushgateway")
    return f"http://{address}", process


@contextmanager
def _postgres(folder: Path) -> Iterator[Postgres]:
    with running_postgres(folder) as server:
        environment = os.environ | {"DATABASE_URL": server.dsn("celery_user")}
        command = [sys.executable, "-m", "alembic", "-c", "infra/postgres/alembic.ini", "upgrade", "head"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)  # noqa: S603 - our own
        server.rows(IRIS)
        yield server


@contextmanager
def _environment(
    code: Path, name: str, postgres: Postgres, redis: Redis, own: dict[str, str]
) -> Iterator[Way]:
    orders_read, orders = os.pipe()
    answers, answers_write = os.pipe()
    log = code.with_name(f"{name}.log")
    settings = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(code),
        "DATABASE_URL": postgres.dsn("functions_user"),
        "BROKER_URL": redis.url,
        "MAX_OPEN_PER_CALLER": ROOMY,
        "MAX_OPEN_IN_ALL": ROOMY,
        "AWS_LAMBDA_LOG_STREAM_NAME": f"bench/[1]{abs(hash(name)):032x}",
        **own,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-S", "-c", ENVIRONMENT, str(answers_write)],
            env=settings,
            stdin=orders_read,
            stdout=output,
            stderr=output,
            pass_fds=(answers_write,),
        )
    os.close(orders_read)
    os.close(answers_write)
    try:
        yield Way(name, orders, answers, log)
    finally:
        process.kill()
        process.wait()
        os.close(orders)
        os.close(answers)


if __name__ == "__main__":
    main()
