"""Each CloudWatch unit has a Prometheus type and a base unit, and each name follows Prometheus' rules."""

import pytest
from aws_lambda_powertools.metrics import MetricUnit
from hypothesis import given
from hypothesis import strategies as st
from powertools_pushgateway.errors import RefusedError
from powertools_pushgateway.names import label_name, metric_name
from powertools_pushgateway.units import UNITS, unit_of
from prometheus_client.validation import _is_valid_legacy_labelname, _is_valid_legacy_metric_name


@pytest.mark.parametrize("unit", MetricUnit)
def test_every_unit_is_known_by_member_value_and_name(unit: MetricUnit) -> None:
    assert unit_of(unit) is unit_of(unit.value) is unit_of(unit.name) is UNITS[unit.value]


@pytest.mark.parametrize(
    ("unit", "given", "kind", "name", "value"),
    [
        ("Count", 3, "counter", "x_total", 3),
        ("Seconds", 3, "histogram", "x_seconds", 3),
        ("Milliseconds", 3, "histogram", "x_seconds", 0.003),
        ("Microseconds", 3, "histogram", "x_seconds", 0.000003),
        ("Bytes", 3, "histogram", "x_bytes", 3),
        ("Kilobytes", 3, "histogram", "x_bytes", 3000),
        ("Terabytes", 3, "histogram", "x_bytes", 3e12),
        ("Bits", 8, "histogram", "x_bytes", 1),
        ("Megabits", 8, "histogram", "x_bytes", 1e6),
        ("Percent", 50, "gauge", "x_ratio", 0.5),
        ("None", 3, "gauge", "x", 3),
        ("Count/Second", 3, "gauge", "x_per_second", 3),
        ("Kilobits/Second", 8, "gauge", "x_bytes_per_second", 1000),
    ],
)
def test_unit_has_a_type_and_a_base_unit(unit: str, given: float, kind: str, name: str, value: float) -> None:
    found = unit_of(unit)
    assert (kind, name, value) == (found.kind, metric_name("x", found), found.to_base(given))


@pytest.mark.parametrize("unit", ["Furlongs", "", 3])
def test_unknown_unit_is_refused(unit: object) -> None:
    with pytest.raises(RefusedError, match=r"^unit: "):
        unit_of(unit)


@pytest.mark.parametrize(
    ("said", "unit", "shown"),
    [
        ("http_requests_total", "Count", "http_requests_total"),
        ("OrderCount", "Count", "order_total"),
        ("ColdStart", "Count", "cold_start_total"),
        ("HTTPLatency", "Milliseconds", "http_latency_seconds"),
        ("latencyMs", "Milliseconds", "latency_seconds"),
        ("http_request_seconds", "Seconds", "http_request_seconds"),
        ("body-size kb", "Kilobytes", "body_size_bytes"),
        ("CPU usage %", "Percent", "cpu_usage_ratio"),
        ("cache.hits/misses", "None", "cache_hits_misses"),
        ("total", "Count", "total"),
        ("4xx", "Count", "_4xx_total"),
    ],
)
def test_name_is_snake_case_with_its_unit_once(said: str, unit: str, shown: str) -> None:
    assert shown == metric_name(said, unit_of(unit))


def test_namespace_goes_before_once() -> None:
    count = unit_of("Count")
    assert metric_name("orders", count, "Air Line") == "air_line_orders_total"
    assert metric_name("air_line_orders", count, "AirLine") == "air_line_orders_total"


@pytest.mark.parametrize("name", ["", "  ", "%", "é", None, 7, "x" * 300])
def test_name_of_nothing_or_of_too_much_is_refused(name: object) -> None:
    with pytest.raises(RefusedError, match=r"^name: "):
        metric_name(name, unit_of("Count"))


def test_name_that_the_gateway_needs_is_refused() -> None:
    with pytest.raises(RefusedError):
        metric_name("push_time", unit_of("Seconds"))


@pytest.mark.parametrize("dimension", ["job", "Instance", "le", "quantile", "", "--"])
def test_label_that_prometheus_needs_is_none(dimension: str) -> None:
    assert label_name(dimension) is None


@given(st.text(), st.sampled_from(sorted(UNITS)), st.text())
def test_whatever_is_said_the_name_is_valid(name: str, unit: str, namespace: str) -> None:
    try:
        shown = metric_name(name, unit_of(unit), namespace)
    except RefusedError:
        return
    assert _is_valid_legacy_metric_name(shown)
    assert not shown.endswith("_total_total")


@given(st.text())
def test_whatever_the_dimension_the_label_is_valid(dimension: str) -> None:
    label = label_name(dimension)
    assert label is None or (_is_valid_legacy_labelname(label) and not label.startswith("__"))
