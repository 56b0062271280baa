"""Measurements for Prometheus: each process counts in its own files, the main one adds them up and serves.

Files are named by a process' place in the pool, not by its id: one that replaces another goes on counting
where that one stopped, so there are as many as the pool has places.
"""

import logging
import os
import threading
from collections import Counter as Count
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, Final

import prometheus_client
from billiard.process import current_process  # type: ignore[import-untyped] # it publishes no types
from inference_contract.job import ModelId
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector

from inference_worker.errors import ModelUnavailableError, TimeLimitError
from inference_worker.feature_bins import BINS, bin_of
from inference_worker.measurements import Fate, MeasuredCall, MeasuredClaim, MeasuredJob, MeasuredSweep
from inference_worker.model_metadata import ModelMetadata

logger = logging.getLogger(__name__)

LOOPBACK: Final = "127.0.0.1"
RETRY_S: Final = 5.0
FEATURES_MAX: Final = 32
"""Features of a model that are counted by bin: ten series each."""
OTHER: Final = "other"
"""Label of answers that are none of the model's classes."""

WAIT_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""From a wake-up that is taken at once, over a sweep (5 s), to beyond the objective of 30 s."""
RUN_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 25)
"""From a linear model's single row to the soft time limit of 25 s."""
JOB_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64)
"""Doublings up to a full batch (BATCH_SIZE), and one beyond for a larger one."""
ROW_BUCKETS: Final = (1, 4, 16, 64, 256, 1024, 4096)
"""By four up to BATCH_ROWS_MAX."""
ATTEMPT_BUCKETS: Final = (1, 2, 3, 4, 6)
"""Each up to MAX_ATTEMPTS, one for a stop in between, and twice as many after a requeue."""
CONFIDENCE_BUCKETS: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)
"""Closest where a good classifier answers; all below a half is unsure."""

type Describe = Callable[[ModelId], ModelMetadata]
"""Returns a model's metadata; raises `ModelUnavailableError`."""


def _careful[**P](
    measure: Callable[Concatenate["PrometheusMeasurements", P], None],
) -> Callable[Concatenate["PrometheusMeasurements", P], None]:
    """Let no failure out: a full disk costs numbers, and no job."""

    @wraps(measure)
    def measured(self: "PrometheusMeasurements", /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            measure(self, *args, **kwargs)
        except TimeLimitError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, it is not the job's fault
            self.failures += 1
            # The first says why; a line for each would be a second fault.
            log = logger.warning if self.failures == 1 else logger.debug
            log("measurement failed", exc_info=True)

    return measured


class PrometheusMeasurements:
    """Implements `Measurements`; `open` comes first, before the pool forks."""

    def __init__(self, folder: Path, describe: Describe) -> None:
        """Keep where the processes count, and how a model is described; nothing is opened yet."""
        self.failures = 0
        self._folder = folder
        self._describe = describe
        self._described: dict[ModelId, ModelMetadata | None] = {}
        self._server: Any = None

    def open(self, models: tuple[ModelMetadata, ...]) -> None:
        """Begin anew in an empty folder, with every series of the served models at 0."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for file in self._folder.glob("*.db"):
            file.unlink()
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(self._folder)
        values.ValueClass = values.MultiProcessValue(_place_in_pool)  # type: ignore[no-untyped-call] # it has no types
        self._define()
        for metadata in models:
            self._know(metadata.model.id, metadata)

    def serve(self, port: int) -> None:
        """Answer scrapes from a thread; a port that is taken is tried again, as its holder may be ending."""
        threading.Thread(target=self._serve, args=(port,), name="metrics", daemon=True).start()

    def let_go(self) -> None:
        """Close the inherited socket in a child: else it would hold the port after its parent's end."""
        if self._server is not None:
            self._server.socket.close()

    @_careful
    def model_called(self, call: MeasuredCall) -> None:
        """Count one call; a batch that fails and is run one by one counts for each."""
        self._metadata(call.model)
        of_model = (call.model.name, call.model.version)
        self._run.labels(*of_model).observe(call.seconds)
        self._batch_jobs.labels(*of_model).observe(call.jobs)
        self._batch_rows.labels(*of_model).observe(call.rows)

    @_careful
    def claim_ended(self, claim: MeasuredClaim) -> None:
        """Count jobs by their fate, and the rows and answers of those that succeeded."""
        metadata = self._metadata(claim.model)
        of_model = (claim.model.name, claim.model.version)
        for job in claim.jobs:
            self._count_times(of_model, job, claim.held_s)
        for fate in (Fate.SUCCEEDED, Fate.FAILED, Fate.DROPPED):
            if rows := sum(len(job.rows) for job in claim.jobs if job.fate is fate):
                self._rows.labels(*of_model, fate).inc(rows)
        answered = tuple(job for job in claim.jobs if job.fate is Fate.SUCCEEDED)
        self._count_answers(of_model, answered, metadata.classes if metadata else ())
        if metadata:
            self._count_features(of_model, answered, metadata)

    @_careful
    def swept(self, sweep: MeasuredSweep) -> None:
        """Count the actions; the time is that of this machine's clock, as Prometheus' own is."""
        self._sweeps.labels("wake_up_sent").inc(sweep.wake_ups_sent)
        self._sweeps.labels("queued_again").inc(sweep.queued_again)
        self._sweeps.labels("failed_for_good").inc(sweep.failed_for_good)
        self._last_sweep.set_to_current_time()

    @_careful
    def message_refused(self) -> None:
        """Count one."""
        self._refused.inc()

    def _define(self) -> None:
        model = ("model", "version")

        def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"inference_worker_{name}", text, model, buckets=buckets, registry=None)

        def counter(name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
            return Counter(name, text, labels, registry=None)

        def gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
            return Gauge(name, text, labels, registry=None, multiprocess_mode="mostrecent")

        self._queue = histogram("queue_seconds", "From submit to the first claim", WAIT_BUCKETS)
        self._run = histogram("run_seconds", "One batch in the model", RUN_BUCKETS)
        self._completion = histogram("completion_seconds", "From submit to the stored result", WAIT_BUCKETS)
        self._batch_jobs = histogram("batch_jobs", "Jobs in one call of the model", JOB_BUCKETS)
        self._batch_rows = histogram("batch_rows", "Rows in one call of the model", ROW_BUCKETS)
        self._attempts = histogram("attempts", "Attempts a job took to end in a worker", ATTEMPT_BUCKETS)
        self._confidence = histogram("confidence_ratio", "Probability of the label given", CONFIDENCE_BUCKETS)
        self._rows = counter("inference_worker_rows", "Rows by what became of them", (*model, "outcome"))
        self._predictions = counter(
            "inference_worker_predictions", "Rows by the label given", (*model, "label")
        )
        of_bin = (*model, "feature", "bin")
        self._feature_rows = counter(
            "inference_worker_feature_rows", "Answered rows by bin of a feature", of_bin
        )
        self._training = gauge("inference_model_training_ratio", "Share of training rows in the bin", of_bin)
        self._accuracy = gauge("inference_model_accuracy_ratio", "Accuracy on held-out rows", model)
        self._sweeps = counter("inference_sweeper_actions", "Rows the sweeper acted on", ("action",))
        self._last_sweep = gauge("inference_sweeper_last_run_timestamp_seconds", "When the last sweep ended")
        self._refused = counter("inference_messages_refused", "Messages in the queue that are none of ours")
        for action in ("wake_up_sent", "queued_again", "failed_for_good"):
            self._sweeps.labels(action)

    def _metadata(self, model: ModelId) -> ModelMetadata | None:
        """Describe a model; the foreign key on table `models` keeps the number of them small."""
        if model not in self._described:
            try:
                metadata = self._describe(model)
            except ModelUnavailableError:
                metadata = None
            self._know(model, metadata)
        return self._described[model]

    def _know(self, model: ModelId, metadata: ModelMetadata | None) -> None:
        self._described[model] = metadata
        of_model = (model.name, model.version)
        for histogram in (
            self._queue, self._run, self._completion, self._batch_jobs, self._batch_rows, self._attempts,
            self._confidence,
        ):  # fmt: skip
            histogram.labels(*of_model)
        for fate in (Fate.SUCCEEDED, Fate.FAILED, Fate.DROPPED):
            self._rows.labels(*of_model, fate)
        if metadata is None:
            return
        for label in (*metadata.classes, OTHER):
            self._predictions.labels(*of_model, label)
        if metadata.accuracy is not None:
            self._accuracy.labels(*of_model).set(metadata.accuracy)
        for _, feature, _, training in _counted_features(metadata):
            for number in range(BINS):
                self._feature_rows.labels(*of_model, feature, number)
                self._training.labels(*of_model, feature, number).set(training[number])

    def _count_times(self, of_model: tuple[str, str], job: MeasuredJob, held_s: float) -> None:
        # A later claim's wait holds the earlier attempts: it would tell of those, not of the queue.
        if job.attempt == 1:
            self._queue.labels(*of_model).observe(job.queued_s)
        if job.fate in (Fate.SUCCEEDED, Fate.FAILED):
            self._completion.labels(*of_model).observe(job.queued_s + held_s)
            self._attempts.labels(*of_model).observe(job.attempt)

    def _count_answers(
        self, of_model: tuple[str, str], jobs: tuple[MeasuredJob, ...], classes: tuple[str, ...]
    ) -> None:
        confidence = self._confidence.labels(*of_model)
        labels: Count[str] = Count()
        for job in jobs:
            for prediction in job.predictions:
                labels[prediction.label if prediction.label in classes else OTHER] += 1
                probability = prediction.probabilities.get(prediction.label)
                if probability is not None:
                    confidence.observe(probability)
        for label, count in labels.items():
            self._predictions.labels(*of_model, label).inc(count)

    def _count_features(
        self, of_model: tuple[str, str], jobs: tuple[MeasuredJob, ...], metadata: ModelMetadata
    ) -> None:
        for place, feature, deciles, _ in _counted_features(metadata):
            counts = Count(bin_of(row[place], deciles) for job in jobs for row in job.rows)
            for number, count in counts.items():
                self._feature_rows.labels(*of_model, feature, number).inc(count)

    def _serve(self, port: int) -> None:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(self._folder))  # type: ignore[no-untyped-call] # it has no types
        while self._server is None:
            try:
                self._server, _ = prometheus_client.start_http_server(port, LOOPBACK, registry)
            except OSError:
                logger.warning("metrics are not served yet", extra={"port": port}, exc_info=True)
                threading.Event().wait(RETRY_S)


def _counted_features(
    metadata: ModelMetadata,
) -> list[tuple[int, str, tuple[float, ...], tuple[float, ...]]]:
    """Return place, name, deciles and training shares of each feature whose training was described so far."""
    found = []
    for place, name in enumerate(metadata.feature_names[:FEATURES_MAX]):
        statistics = metadata.feature_statistics.get(name)
        if statistics and len(statistics.training_shares) == BINS:
            found.append((place, name, statistics.deciles, statistics.training_shares))
    return found


def _place_in_pool() -> str:
    """Name this process by its place: `main`, or the pool's `0`, `1`, ...; no two at once share one."""
    index = getattr(current_process(), "index", None)
    return "main" if index is None else str(index)
