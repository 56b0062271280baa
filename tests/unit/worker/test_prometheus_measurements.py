"""What is counted, in which series; files in a folder of the test's own, no server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from inference_contract.job import ModelId, Prediction
from inference_worker import prometheus_measurements
from inference_worker.errors import ModelUnavailableError, TimeLimitError
from inference_worker.measurements import Fate, MeasuredCall, MeasuredClaim, MeasuredJob, MeasuredSweep
from inference_worker.model_metadata import FeatureStatistics, ModelMetadata
from inference_worker.prometheus_measurements import FEATURES_MAX, PrometheusMeasurements
from prometheus_client import CollectorRegistry, values
from prometheus_client.multiprocess import MultiProcessCollector

IRIS = ModelId("iris", "1")
OF_IRIS = {"model": "iris", "version": "1"}
DECILES = tuple(float(value) for value in range(1, 10))
SHARES = (0.5, 0.5, 0, 0, 0, 0, 0, 0, 0, 0)


def metadata(features: int = 1, shares: tuple[float, ...] = SHARES) -> ModelMetadata:
    names = tuple(f"f{number}" for number in range(features))
    return ModelMetadata(
        name="iris",
        version="1",
        backend="none",
        file="none",
        sha256="",
        feature_names=names,
        classes=("a", "b"),
        accuracy=0.9,
        feature_statistics={name: FeatureStatistics(0, 10, 5, 1, DECILES, shares) for name in names},
    )


def not_there(_model: ModelId) -> ModelMetadata:
    raise ModelUnavailableError


class Page:
    """The measurements, and what a scrape of them would show."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.measurements = PrometheusMeasurements(folder, not_there)

    def shown(self, name: str, **labels: str) -> float | None:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(self.folder))  # type: ignore[no-untyped-call]
        return registry.get_sample_value(name, labels)

    def of_iris(self, name: str, **labels: str) -> float | None:
        return self.shown(name, **OF_IRIS, **labels)

    def ended(self, *jobs: MeasuredJob) -> None:
        self.measurements.claim_ended(MeasuredClaim(IRIS, jobs, held_s=0.5))


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    made = Page(tmp_path)
    made.measurements.open((metadata(),))
    yield made
    values.close_all_multiprocess_files()  # type: ignore[no-untyped-call]


def job(*rows: float, attempt: int = 1, fate: Fate = Fate.SUCCEEDED, label: str = "a") -> MeasuredJob:
    answers = tuple(Prediction(label, {"a": 0.75, "b": 0.25}) for _ in rows)
    return MeasuredJob(
        attempt, 2.0, fate, tuple((row,) for row in rows), answers if fate is Fate.SUCCEEDED else ()
    )


def test_series_of_served_models_are_there_at_zero(page: Page) -> None:
    assert page.of_iris("inference_worker_rows_total", outcome="failed") == 0
    assert page.of_iris("inference_worker_predictions_total", label="b") == 0
    assert page.of_iris("inference_worker_feature_rows_total", feature="f0", bin="9") == 0
    assert page.of_iris("inference_worker_run_seconds_count") == 0
    assert page.shown("inference_sweeper_actions_total", action="queued_again") == 0
    assert page.shown("inference_messages_refused_total") == 0


def test_training_is_shown_beside_what_is_served(page: Page) -> None:
    assert page.of_iris("inference_model_accuracy_ratio") == 0.9
    found = [
        page.of_iris("inference_model_training_ratio", feature="f0", bin=str(number)) for number in range(10)
    ]
    assert tuple(found) == SHARES


def test_jobs_are_counted_by_their_fate(page: Page) -> None:
    page.ended(job(0.5, 9.5), job(1.5, attempt=2), job(1.0, fate=Fate.FAILED), job(1.0, fate=Fate.DROPPED))

    outcomes = {
        fate: page.of_iris("inference_worker_rows_total", outcome=fate)
        for fate in ("succeeded", "failed", "dropped")
    }
    assert outcomes == {"succeeded": 3, "failed": 1, "dropped": 1}
    assert page.of_iris("inference_worker_completion_seconds_count") == 3
    assert page.of_iris("inference_worker_completion_seconds_sum") == 7.5
    assert page.of_iris("inference_worker_attempts_sum") == 4
    assert page.of_iris("inference_worker_queue_seconds_count") == 3, "a second claim waited for the first"


def test_answers_are_counted_by_label_and_confidence(page: Page) -> None:
    page.ended(job(0.5, 9.5), job(1.5, label="b"), job(1.5, label="of no class"))

    labels = {
        label: page.of_iris("inference_worker_predictions_total", label=label)
        for label in ("a", "b", "other")
    }
    assert labels == {"a": 2, "b": 1, "other": 1}
    assert page.of_iris("inference_worker_confidence_ratio_count") == 3
    assert page.of_iris("inference_worker_confidence_ratio_bucket", le="0.8") == 3
    assert page.of_iris("inference_worker_confidence_ratio_bucket", le="0.7") == 1


def test_features_of_answered_rows_are_counted_by_bin(page: Page) -> None:
    page.ended(job(0.5, 1.0, 9.5), job(5.0, fate=Fate.FAILED))

    found = [
        page.of_iris("inference_worker_feature_rows_total", feature="f0", bin=str(number))
        for number in range(10)
    ]
    assert found == [2, 0, 0, 0, 0, 0, 0, 0, 0, 1]


def test_calls_are_measured_in_jobs_rows_and_seconds(page: Page) -> None:
    page.measurements.model_called(MeasuredCall(IRIS, jobs=3, rows=40, seconds=0.02))

    assert page.of_iris("inference_worker_batch_jobs_bucket", le="4.0") == 1
    assert page.of_iris("inference_worker_batch_rows_sum") == 40
    assert page.of_iris("inference_worker_run_seconds_bucket", le="0.025") == 1


def test_sweeps_and_refusals_are_counted(page: Page) -> None:
    page.measurements.swept(MeasuredSweep(wake_ups_sent=3, queued_again=2, failed_for_good=1))
    page.measurements.message_refused()

    assert page.shown("inference_sweeper_actions_total", action="wake_up_sent") == 3
    assert page.shown("inference_sweeper_actions_total", action="failed_for_good") == 1
    assert (page.shown("inference_sweeper_last_run_timestamp_seconds") or 0) > 0
    assert page.shown("inference_messages_refused_total") == 1


def test_model_that_is_not_described_is_counted_without_labels_and_bins(page: Page) -> None:
    page.measurements.claim_ended(MeasuredClaim(ModelId("new", "2"), (job(1.0),), 0.1))

    new = {"model": "new", "version": "2"}
    assert page.shown("inference_worker_rows_total", **new, outcome="succeeded") == 1
    assert page.shown("inference_worker_predictions_total", **new, label="other") == 1


def test_metadata_of_before_the_shares_and_wide_models_make_no_flood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    page = Page(tmp_path)
    page.measurements.open((metadata(features=FEATURES_MAX + 1),))
    last, beyond = f"f{FEATURES_MAX - 1}", f"f{FEATURES_MAX}"

    assert page.of_iris("inference_worker_feature_rows_total", feature=last, bin="0") == 0
    assert page.of_iris("inference_worker_feature_rows_total", feature=beyond, bin="0") is None
    page.measurements.open((metadata(shares=()),))
    assert page.of_iris("inference_worker_feature_rows_total", feature="f0", bin="0") is None


def test_failure_is_logged_once_and_goes_no_further(page: Page, caplog: pytest.LogCaptureFixture) -> None:
    page.measurements._sweeps = None  # type: ignore[assignment] # noqa: SLF001 - as a full disk would

    for _ in range(3):
        page.measurements.swept(MeasuredSweep(1, 1, 1))

    assert page.measurements.failures == 3
    assert [record.message for record in caplog.records] == ["measurement failed"]


def test_time_limit_is_let_through(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_late(*_: object) -> int:
        raise TimeLimitError

    monkeypatch.setattr(prometheus_measurements, "bin_of", too_late)

    with pytest.raises(TimeLimitError):
        page.ended(job(1.0))


def test_replaced_process_goes_on_where_the_last_one_stopped(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        monkeypatch.setattr(prometheus_measurements, "_place_in_pool", lambda: "0")
        values.ValueClass = values.MultiProcessValue(lambda: "0")  # type: ignore[no-untyped-call]
        again = PrometheusMeasurements(page.folder, not_there)
        again._define()  # noqa: SLF001 - as a child has it, after the fork
        again.message_refused()

    assert page.shown("inference_messages_refused_total") == 2
    assert sorted(path.name for path in page.folder.glob("counter_*")) == ["counter_0.db", "counter_main.db"]


def test_start_begins_anew(page: Page) -> None:
    page.measurements.message_refused()

    page.measurements.open((metadata(),))

    assert page.shown("inference_messages_refused_total") == 0
