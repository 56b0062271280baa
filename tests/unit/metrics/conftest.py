"""A provider over a gateway that is a list, and the metrics that reached it."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from aws_lambda_powertools.metrics.provider import cold_start
from powertools_pushgateway import PushgatewayProvider
from powertools_pushgateway.config import Limits
from powertools_pushgateway.errors import PushError
from powertools_pushgateway.pusher import Rhythm
from prometheus_client.parser import text_string_to_metric_families

DEADLINE_S = 5.0
POLL_S = 0.002


class FakeGateway:
    """Keeps what was pushed; refuses while `broken`, and holds a push back while `held`."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.attempts = 0
        self.broken = False
        self.released = threading.Event()
        self.released.set()

    def put(self, body: bytes) -> None:
        self.attempts += 1
        self.released.wait(DEADLINE_S)
        if self.broken:
            raise PushError("down")
        self.bodies.append(body.decode())

    def values(self) -> dict[str, float]:
        """Every sample of the last push, by its name and labels as Prometheus writes them."""
        if not self.bodies:
            return {}
        return {
            _key(sample.name, sample.labels): sample.value
            for family in text_string_to_metric_families(self.bodies[-1])
            for sample in family.samples
        }

    def eventually(self, key: str, value: float) -> None:
        """Wait until the last push holds a sample."""
        poll(lambda: self.values().get(key) == value, f"{key} {value}")


def _key(name: str, labels: dict[str, str]) -> str:
    inner = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{inner}}}" if inner else name


def poll(look: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not look():
        assert time.monotonic() < deadline, f"waited for {what}"
        threading.Event().wait(POLL_S)


@pytest.fixture(name="poll")
def given_poll() -> Callable[[Callable[[], bool], str], None]:
    """`poll(look, what)`: wait until `look` is true."""
    return poll


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    """A gateway of the test's own."""
    fake = FakeGateway()
    yield fake
    fake.released.set()


@pytest.fixture
def new_provider(gateway: FakeGateway) -> Iterator[Callable[..., PushgatewayProvider]]:
    """`new_provider(limits, **more)`: a provider that pushes to `gateway` without a pause."""
    made: list[PushgatewayProvider] = []

    def make(limits: Limits | None = None, **more: object) -> PushgatewayProvider:
        options: dict[str, object] = {"service": "predict", "instance": "e1", "guard": lambda _: None, **more}
        fast = limits or Limits(rhythm=Rhythm(push_every_s=0))
        made.append(PushgatewayProvider("http://nowhere.invalid", fast, gateway=gateway, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    gateway.released.set()
    for provider in made:
        provider.finish()


@pytest.fixture(autouse=True)
def cold() -> Iterator[None]:
    """Each test is a new environment."""
    cold_start.is_cold_start = True
    yield
    cold_start.is_cold_start = True
