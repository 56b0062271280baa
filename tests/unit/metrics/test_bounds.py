"""Labels, names and series are bounded; what is refused is counted, warned of once, and harms no other."""

import logging

import pytest
from powertools_pushgateway.exposition import REASONS, exposition
from powertools_pushgateway.labels import OTHER, BoundedLabels
from powertools_pushgateway.refusals import MOST_WARNINGS, Refusals
from powertools_pushgateway.registry import MAX_METRICS, MAX_SERIES, Registry
from powertools_pushgateway.samples import Batch, Sample


def registry(*allowed: str, max_values: int = 50, **of_metric: tuple[str, ...]) -> Registry:
    refusals = Refusals()
    return Registry(BoundedLabels(allowed, of_metric, max_values, refusals), refusals)


def absorb(into: Registry, *samples: Sample, **dimensions: object) -> None:
    into.absorb(Batch("", dimensions, samples))


def one(value: object = 1, name: object = "jobs", unit: object = "Count") -> Sample:
    return Sample(name, unit, value)


def series(of: Registry) -> dict[str, object]:
    return {name: dict(family.series) for name, family in of.families.items()}


def test_allowed_dimension_is_a_label_and_others_are_left_off() -> None:
    kept = registry("Route")
    absorb(kept, one(), route="/a", task_id="1")
    absorb(kept, one(), route="/a", task_id="2")
    assert series(kept) == {"jobs_total": {(("route", "/a"),): 2.0}}
    assert kept.refusals.counts == {"dimension": 2}


def test_metric_with_dimensions_of_its_own_has_just_those() -> None:
    kept = registry("route", jobs=("model",))
    absorb(kept, one(), one(name="calls"), route="/a", model="iris")
    assert series(kept) == {
        "jobs_total": {(("model", "iris"),): 1.0},
        "calls_total": {(("route", "/a"),): 1.0},
    }
    assert not kept.refusals.counts


def test_values_beyond_the_limit_are_one_series_and_sums_stay_right() -> None:
    kept = registry("task", max_values=3)
    for task in range(100):
        absorb(kept, one(), task=task)
    assert series(kept)["jobs_total"] == {
        **{(("task", str(task)),): 1.0 for task in range(3)},
        (("task", OTHER),): 97.0,
    }
    assert kept.refusals.counts == {"dimension_values": 97}


def test_a_thousand_tasks_are_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    kept = registry("task")
    with caplog.at_level(logging.WARNING):
        for task in range(1000):
            absorb(kept, one(), task=task)
    assert [record.getMessage() for record in caplog.records] == ["metric sample refused"]


def test_names_made_of_data_are_bounded_and_so_are_their_warnings(caplog: pytest.LogCaptureFixture) -> None:
    kept = registry()
    with caplog.at_level(logging.WARNING):
        for task in range(2 * MAX_METRICS):
            absorb(kept, one(name=f"job_{task}"))
    assert len(kept.families) == MAX_METRICS
    assert kept.refusals.counts == {"metrics": MAX_METRICS}
    assert len(caplog.records) == MOST_WARNINGS


def test_series_are_bounded_where_labels_multiply() -> None:
    kept = registry("a", "b")
    for number in range(50 * 50):
        absorb(kept, one(), a=number // 50, b=number % 50)
    assert len(kept.families["jobs_total"].series) == MAX_SERIES


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -1, "3", None, True, [], 10**400, 1j], ids=repr
)
def test_what_is_no_count_is_refused_and_the_ones_beside_it_count(value: object) -> None:
    kept = registry()
    absorb(kept, one(), one(value), one())
    assert series(kept) == {"jobs_total": {(): 2.0}}
    assert sum(kept.refusals.counts.values()) == 1
    assert set(kept.refusals.counts) <= set(REASONS)


def test_gauge_may_fall_below_zero_and_keeps_the_last() -> None:
    kept = registry()
    absorb(kept, one(5, "drift", "None"), one(-2, "drift", "None"))
    assert series(kept) == {"drift": {(): -2.0}}


def test_histogram_counts_each_value_in_the_bucket_that_it_does_not_exceed() -> None:
    refusals = Refusals()
    kept = Registry(BoundedLabels((), {}, 1, refusals), refusals, {"wait": (1, 0.1)})
    absorb(kept, *(one(value, "wait", "Milliseconds") for value in (99, 100, 101, 5000)))
    text = exposition(kept.families.values(), kept.refusals, 0, ended=False).decode()
    assert [line for line in text.splitlines() if line.startswith("wait")] == [
        'wait_seconds_bucket{le="0.1"} 2',
        'wait_seconds_bucket{le="1.0"} 3',
        'wait_seconds_bucket{le="+Inf"} 4',
        "wait_seconds_sum 5.3",
        "wait_seconds_count 4",
    ]


def test_one_name_with_two_types_keeps_the_first() -> None:
    kept = registry()
    absorb(kept, one(1, "x_total", "Count"), one(2, "x_total", "None"))
    absorb(kept, one(1, "y", "Seconds"), one(2, "y_seconds_count", "None"))
    assert {n: f.kind for n, f in kept.families.items()} == {"x_total": "counter", "y_seconds": "histogram"}
    assert kept.refusals.counts == {"type": 2}


@pytest.mark.parametrize(
    ("name", "unit"),
    [("failed_pushes", "Count"), ("refusals", "Count"), ("ended", "None"), ("ended", "Count")],
)
def test_name_that_the_provider_needs_is_not_written_twice(name: str, unit: str) -> None:
    kept = registry()
    absorb(kept, one(1, f"powertools_pushgateway_{name}", unit), one())
    text = exposition(kept.families.values(), kept.refusals, 0, ended=False).decode()
    heads = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(heads) == len({head.split()[2] for head in heads})
    assert "jobs_total 1.0" in text


def test_seconds_and_milliseconds_of_one_name_are_one_metric() -> None:
    kept = registry()
    absorb(kept, one(1, "wait", "Seconds"), one(500, "wait", "Milliseconds"))
    assert series(kept)["wait_seconds"] == {(): ([0] * 6 + [1, 1] + [0] * 5, 1.5)}


def test_label_text_is_escaped_and_always_utf_8() -> None:
    kept = registry("route")
    absorb(kept, one(), route='a"b\\c\nd\ud800')
    line = exposition(kept.families.values(), kept.refusals, 0, ended=False).decode().splitlines()[2]
    assert line == r'jobs_total{route="a\"b\\c\nd?"} 1.0'
