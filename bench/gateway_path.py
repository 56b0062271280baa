"""Measures what the direct gateway path saves: API Gateway to Lambda over HTTP, and in the same process.

Run with the application's Python from the root: `.venvs/app/bin/python bench/gateway_path.py`. Starts two
LocalStacks of its own, alike but for LAMBDA_PROCESS_GATEWAY_DIRECT, calls them in turns so that both see the
same machine, and ends them.
"""

import argparse
import http.client
import io
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import boto3

ROOT = Path(__file__).parents[1]
LOCALSTACK_PYTHON = ROOT / ".venvs/localstack/bin/python"
RUNTIME_DIR = ROOT / ".venvs/lambda-runtime"
READY_WITHIN_S = 60.0
POLL_S = 0.1
WARM_UP_CALLS = 20
TURNS = 4
FUNCTION = "bench"
APP = "def handler(event, context): return {'statusCode': 200, 'body': 'ok'}"


@dataclass(frozen=True, slots=True)
class GatewayPath:
    """One way from the gateway to the function, ready to be called."""

    name: str
    port: int
    path: str

    def call(self, connection: http.client.HTTPConnection) -> None:
        """One request; anything but the function's answer ends the measurement."""
        connection.request("GET", self.path)
        answer = connection.getresponse()
        body = answer.read()
        if (answer.status, body) != (http.HTTPStatus.OK, b"ok"):
            raise SystemExit(f"{self.name} answered {answer.status} {body[:200]!r}")


@dataclass(slots=True)
class Measured:
    """Latencies of all turns at one number of connections, and the time that they took together."""

    latencies_ms: list[float]
    elapsed_s: float = 0.0

    @property
    def p50_ms(self) -> float:
        """Half of the requests are faster."""
        return statistics.median(self.latencies_ms)

    @property
    def p95_ms(self) -> float:
        """One request in twenty is slower."""
        return statistics.quantiles(self.latencies_ms, n=20)[-1]

    @property
    def requests_per_s(self) -> float:
        """Throughput over all connections."""
        return len(self.latencies_ms) / self.elapsed_s


def main() -> None:
    """Start both, measure in turns, print side by side."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=400, help="requests a path and number of connections")
    requests = parser.parse_args().requests
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-path-")))
        paths = [
            stack.enter_context(running_gateway(root, name, direct))
            for name, direct in (("http", "0"), ("direct", "1"))
        ]
        print(f"{'connections':>11}  {'path':<6}  {'p50 ms':>7}  {'p95 ms':>7}  {'req/s':>7}")
        for connections in (1, 8):
            measured = {path.name: Measured([]) for path in paths}
            for _ in range(TURNS):
                for path in paths:
                    _turn(path, connections, requests // TURNS, measured[path.name])
            _print_rows(connections, measured)


def _print_rows(connections: int, measured: dict[str, Measured]) -> None:
    for name, one in measured.items():
        latencies = f"{one.p50_ms:>7.2f}  {one.p95_ms:>7.2f}"
        print(f"{connections:>11}  {name:<6}  {latencies}  {one.requests_per_s:>7.1f}")
    http_way, direct = measured["http"], measured["direct"]
    faster = http_way.p50_ms / direct.p50_ms
    more = direct.requests_per_s / http_way.requests_per_s
    print(f"{connections:>11}  ratio   p50 {faster:.2f} times faster, {more:.2f} times the requests")


def _turn(path: GatewayPath, connections: int, requests: int, into: Measured) -> None:
    began_s = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        for latencies_ms in pool.map(lambda _: _calls(path, requests // connections), range(connections)):
            into.latencies_ms += latencies_ms
    into.elapsed_s += time.perf_counter() - began_s


def _calls(path: GatewayPath, requests: int) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", path.port, timeout=30)
    latencies_ms = []
    for _ in range(requests):
        began_s = time.perf_counter()
        path.call(connection)
        latencies_ms.append((time.perf_counter() - began_s) * 1000)
    connection.close()
    return latencies_ms


@contextmanager
def running_gateway(root: Path, name: str, direct: str) -> Iterator[GatewayPath]:
    """A LocalStack with one function behind its API Gateway, called a few times; it ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    environ = {
        "PATH": os.environ["PATH"],
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        "OVERRIDE_IN_DOCKER": "0",
        "FILESYSTEM_ROOT": str(root / name),
        "EAGER_SERVICE_LOADING": "0",
        "SERVICES": "apigateway,cloudformation,iam,lambda,logs,s3,sqs,sts",
        "STRICT_SERVICE_LOADING": "1",
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        "LAMBDA_PROCESS_RUNTIME_DIR": str(RUNTIME_DIR),
        "LAMBDA_PROCESS_PYTHON_3_13": str(Path(sys.executable).resolve()),
        "LAMBDA_PROCESS_GATEWAY_DIRECT": direct,
    }
    (root / name).mkdir()
    output = root / name / "localstack.log"
    with output.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 -- our own environment's Python
            [LOCALSTACK_PYTHON, "-m", "localstack.runtime.main"],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait(lambda: "\nReady." in output.read_text(), f"LocalStack ({name}) is not ready")
        path = GatewayPath(name, port, _deploy(port))
        _calls(path, WARM_UP_CALLS)
        yield path
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def client(service: str, port: int) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    """Talk to the LocalStack on that port."""
    return boto3.client(  # type: ignore[call-overload] # its services are known by literals only
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - LocalStack checks neither
    )


def _deploy(port: int) -> str:
    functions, gateway = client("lambda", port), client("apigateway", port)
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", APP)
    function = functions.create_function(
        FunctionName=FUNCTION,
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/bench",
        Handler="app.handler",
        Code={"ZipFile": package.getvalue()},
        Timeout=10,
        MemorySize=256,
    )
    state = functions.get_function_configuration
    _wait(lambda: state(FunctionName=FUNCTION)["State"] == "Active", "the function is not active")
    api = gateway.create_rest_api(name="bench")["id"]
    (resource,) = gateway.get_resources(restApiId=api)["items"]
    where = {"restApiId": api, "resourceId": resource["id"], "httpMethod": "GET"}
    gateway.put_method(**where, authorizationType="NONE")
    uri = (
        f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function['FunctionArn']}/invocations"
    )
    gateway.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    gateway.create_deployment(restApiId=api, stageName="bench")
    return f"/_aws/execute-api/{api}/bench/"


def _wait(question: Callable[[], bool], otherwise: str) -> None:
    end_s = time.monotonic() + READY_WITHIN_S
    while not question():
        if time.monotonic() > end_s:
            raise SystemExit(otherwise)
        Event().wait(POLL_S)


if __name__ == "__main__":
    main()
