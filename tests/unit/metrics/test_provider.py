"""Handlers write Powertools code as for CloudWatch, and what they said reaches the gateway."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.metrics import Metrics, MetricUnit, SchemaValidationError
from powertools_pushgateway import PushgatewayProvider
from powertools_pushgateway.config import Limits
from powertools_pushgateway.identity import instance_of, job_of
from powertools_pushgateway.pusher import Rhythm

AT_ONCE = Rhythm(push_every_s=0)
CONTEXT = SimpleNamespace(function_name="inference-predict")

type NewProvider = Callable[..., PushgatewayProvider]


class UnprintableError(Exception):
    """Says nothing."""

    def __str__(self) -> str:
        raise ValueError("not even this")


def metrics_of(provider: PushgatewayProvider) -> Metrics:
    return Metrics(provider=provider)  # type: ignore[arg-type] # Powertools names its own provider only


def test_decorated_handler_counts_itself_and_its_cold_start(gateway: Any, new_provider: NewProvider) -> None:
    metrics = metrics_of(new_provider(Limits(dimensions=("function_name", "route"), rhythm=AT_ONCE)))

    @metrics.log_metrics(capture_cold_start_metric=True)
    def handler(event: dict[str, str], _context: object) -> str:
        metrics.add_metric(name="Orders", unit=MetricUnit.Count, value=2)
        metrics.add_dimension(name="route", value=event["route"])
        return event["route"]

    assert [handler({"route": route}, CONTEXT) for route in ("/a", "/b", "/a")] == ["/a", "/b", "/a"]
    gateway.eventually('orders_total{route="/a"}', 4)
    assert gateway.values()['orders_total{route="/b"}'] == 2
    assert gateway.values()['cold_start_total{function_name="inference-predict"}'] == 1


def test_default_dimensions_stay_and_the_others_go(gateway: Any, new_provider: NewProvider) -> None:
    metrics = metrics_of(new_provider(Limits(dimensions=("stage", "route"), rhythm=AT_ONCE)))
    metrics.set_default_dimensions(stage="test")

    @metrics.log_metrics(default_dimensions={"stage": "live"})
    def handler(event: str, _context: object) -> None:
        metrics.add_metric(name="Orders", unit="Count", value=1)
        if event:
            metrics.add_dimensions(route=event)

    handler("/a", None)
    handler("", None)
    gateway.eventually('orders_total{stage="live"}', 1)
    assert gateway.values()['orders_total{route="/a",stage="live"}'] == 1
    metrics.clear_default_dimensions()
    handler("", None)
    gateway.eventually("orders_total", 1)


def test_handlers_error_is_its_own_and_its_metrics_count(gateway: Any, new_provider: NewProvider) -> None:
    metrics = metrics_of(new_provider())

    @metrics.log_metrics
    def handler(_event: object, _context: object) -> None:
        metrics.add_metric(name="Orders", unit="Count", value=1)
        raise LookupError("the handler's")

    with pytest.raises(LookupError, match="the handler's"):
        handler({}, None)
    gateway.eventually("orders_total", 1)


def test_nothing_that_a_handler_can_say_raises(gateway: Any, new_provider: NewProvider) -> None:
    metrics = metrics_of(new_provider(Limits(dimensions=("route",), rhythm=AT_ONCE)))

    @metrics.log_metrics(capture_cold_start_metric=True)
    def handler(_event: object, _context: object) -> str:
        for name, unit, value in [
            (None, None, None),
            ("x", "Furlongs", 1),
            ("", "Count", 1),
            ("x", "Count", "1"),
        ]:
            metrics.add_metric(name=name, unit=unit, value=value)  # type: ignore[arg-type]
        metrics.add_metric(name="Orders", unit="Count", value=1, resolution=7)
        metrics.add_metadata(key="task", value=object())
        metrics.set_timestamp(10**30)
        metrics.add_dimension(name="route", value=UnprintableError())  # type: ignore[arg-type]
        return "answer"

    assert handler({}, object()) == "answer"
    gateway.eventually('powertools_pushgateway_refusals_total{reason="error"}', 1)
    metrics.add_metric(name="Orders", unit="Count", value=1)
    metrics.flush_metrics()
    gateway.eventually("orders_total", 1)


def test_single_metric_has_dimensions_of_its_own(gateway: Any, new_provider: NewProvider) -> None:
    provider = new_provider(Limits(dimensions=("model", "route"), rhythm=AT_ONCE))
    provider.add_dimension("route", "/a")
    with provider.single_metric("Loads", "Count", 1, default_dimensions={"model": "iris"}):
        pass
    with provider.single_metric("Loads", "Count", 1) as add_dimension:
        add_dimension("model", "wine")
    provider.flush_metrics()
    gateway.eventually('loads_total{model="iris"}', 1)
    assert gateway.values()['loads_total{model="wine"}'] == 1


def test_namespace_and_service_can_be_asked_and_set(gateway: Any, new_provider: NewProvider) -> None:
    metrics = metrics_of(new_provider(namespace="airline"))
    assert (metrics.service, metrics.namespace) == ("predict", "airline")
    metrics.namespace = "railway"
    metrics.add_metric(name="Orders", unit="Count", value=1)
    assert metrics.serialize_metric_set() == [
        {"name": "Orders", "unit": "Count", "value": 1, "dimensions": {}}
    ]
    metrics.flush_metrics()
    gateway.eventually("railway_orders_total", 1)


def test_empty_flush_is_silent_unless_asked(gateway: Any, new_provider: NewProvider) -> None:
    provider = new_provider()
    provider.flush_metrics()
    with pytest.raises(SchemaValidationError):
        provider.flush_metrics(raise_on_empty_metrics=True)
    assert gateway.attempts == 0


def test_cleared_metrics_are_not_pushed(gateway: Any, new_provider: NewProvider) -> None:
    provider = new_provider()
    provider.add_metric("Lost", "Count", 1)
    provider.clear_metrics()
    provider.add_metric("Kept", "Count", 1)
    provider.flush_metrics()
    gateway.eventually("kept_total", 1)
    assert "lost_total" not in gateway.values()


def test_disabled_metrics_go_nowhere(
    gateway: Any, new_provider: NewProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    provider = new_provider()
    provider.add_metric("Orders", "Count", 1)
    provider.flush_metrics()
    provider.finish()
    assert gateway.attempts == 0


def test_end_is_guarded_once_and_from_the_first_metrics_on(new_provider: NewProvider) -> None:
    guarded: list[object] = []
    provider = new_provider(guard=guarded.append)
    provider.flush_metrics()
    assert guarded == []
    for _ in range(2):
        provider.add_metric("Orders", "Count", 1)
        provider.flush_metrics()
    assert guarded == [provider.finish]


def test_end_takes_along_what_an_invocation_has_not_flushed(gateway: Any, new_provider: NewProvider) -> None:
    provider = new_provider(Limits(timeout_s=5))
    provider.add_metric("Orders", "Count", 1)
    provider.finish()
    provider.finish()
    assert gateway.values()["orders_total"] == 1


@pytest.mark.parametrize(
    ("stream", "instance"), [("2026/01/31/[$LATEST]0a1b2c", "0a1b2c"), ("2026/01/31/[7]0a1b2c", "0a1b2c")]
)
def test_environment_has_its_log_streams_id(stream: str, instance: str) -> None:
    assert instance_of({"AWS_LAMBDA_LOG_STREAM_NAME": stream}) == instance


def test_environment_without_a_log_stream_has_an_id_of_its_own() -> None:
    assert instance_of({}) != instance_of({})


def test_job_is_the_service_or_else_the_function() -> None:
    both = {"POWERTOOLS_SERVICE_NAME": "predict", "AWS_LAMBDA_FUNCTION_NAME": "inference-predict"}
    assert job_of(both) == "predict"
    assert job_of({"AWS_LAMBDA_FUNCTION_NAME": "inference-predict"}) == "inference-predict"
    assert job_of({}) == "service_undefined"


@pytest.mark.parametrize("url", ["", "127.0.0.1:9091", "ftp://a", "http://"])
def test_url_that_is_none_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="http://host:9091"):
        PushgatewayProvider(url)
