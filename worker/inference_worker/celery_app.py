"""Entry file of worker and beat: `celery -A inference_worker.celery_app worker|beat`.

The only file that names adapters. The environment is read when Celery asks for `app`, not on import.
"""

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from celery import Celery
from inference_contract.failpoint import WORKER_AFTER_STORE, failpoint

from inference_worker import guarded_redis, lifecycle
from inference_worker.celery_broker import CeleryBroker
from inference_worker.celery_settings import celery_settings
from inference_worker.companions import Companions, add_companions, taken
from inference_worker.database import Database, read_statements
from inference_worker.ending import Ending
from inference_worker.errors import SettingsError, TimeLimitError
from inference_worker.event_batches import add_event_batches
from inference_worker.heartbeat import Heartbeat
from inference_worker.lease import keep_lease
from inference_worker.measurements import NO_MEASUREMENTS, Measurements
from inference_worker.model_catalog import LoadModel, ModelCatalog, backend_in, described_in, servable
from inference_worker.postgres_pool_store import PostgresPoolStore
from inference_worker.postgres_registry import PostgresRegistry
from inference_worker.postgres_retention_store import PostgresRetentionStore
from inference_worker.postgres_store import ClaimLimits, PostgresJobStore
from inference_worker.postgres_sweep_store import PostgresSweepStore, SweepLimits
from inference_worker.progress_watch import ProgressWatch
from inference_worker.retention import Retention
from inference_worker.run_prediction import RunPrediction
from inference_worker.settings import Settings, read_settings
from inference_worker.sweeper import Sweep
from inference_worker.tasks import add_tasks
from inference_worker.time_limit import time_limit
from inference_worker.worker_pool import WorkerPool

if TYPE_CHECKING:
    from inference_worker.prometheus_measurements import PrometheusMeasurements

STATEMENTS: Final = Path(__file__).with_name("queries.sql")
STOP_GRACE_S: Final = 2.5
"""What Celery gets beyond the soft shutdown: it needs 1.8 s. With the last statement it stays below 5 s."""

type Backends = Mapping[str, Callable[[], LoadModel]]
"""Loaders by the name in the metadata; a call imports the model library."""


def _sklearn_skops() -> LoadModel:
    load: LoadModel = importlib.import_module("inference_worker.backends.sklearn_skops").load
    return load


BACKENDS: Final[Backends] = {"sklearn_skops": _sklearn_skops}


def create_app(settings: Settings, backends: Backends) -> Celery:
    """Wire a worker (or beat) of these settings; opens nothing."""
    lifecycle.one_numeric_thread()
    lifecycle.connect_logging(settings)
    lifecycle.connect_preload(tuple(backends.values()))
    lifecycle.connect_memory_limit(settings.worker_memory_limit_mb)
    measurements = _measurements(settings)
    guarded_redis.Channel.report = staticmethod(measurements.message_refused)
    app = Celery("inference", broker=settings.broker_url, set_as_current=True)
    app.conf.update(celery_settings(settings))
    add_event_batches(app)
    pool = WorkerPool()
    add_companions(app, pool, partial(_companions, settings, pool))
    # Made in the pool's child, on first use: connections and models are not shared over a fork.
    add_tasks(
        app,
        partial(time_limit, settings.task_soft_time_limit_s, settings.task_time_limit_s),
        cache(partial(_run_prediction, settings, backends, pool, measurements)),
        cache(partial(_sweep, settings, app, measurements)),
        cache(partial(_retention, settings)),
    )
    return app


def _measurements(settings: Settings) -> Measurements:
    """Measure where somebody looks; only there the library is imported, which takes a tenth of a second."""
    if not settings.worker_metrics_port:
        return NO_MEASUREMENTS
    adapter = importlib.import_module("inference_worker.prometheus_measurements")
    measurements: PrometheusMeasurements = adapter.PrometheusMeasurements(
        settings.prometheus_multiproc_dir, described_in(settings.model_dir)
    )

    def open_and_serve() -> None:
        measurements.open(servable(settings.model_dir))
        measurements.serve(settings.worker_metrics_port)

    lifecycle.connect_metrics(open_and_serve, measurements.let_go)
    return measurements


def _database(settings: Settings, application: str) -> Database:
    return Database(
        settings.database_url,
        read_statements(STATEMENTS),
        application=application,
        timeout_ms=settings.statement_timeout_ms,
    )


def _companions(settings: Settings, pool: WorkerPool) -> Companions:
    registry = PostgresRegistry(_database(settings, f"heartbeat {pool.name}"))
    heartbeat = Heartbeat(registry, pool.name, servable(settings.model_dir), every_s=settings.heartbeat_s)
    # A connection of its own: a heartbeat that hangs must hold up neither the watch nor the last statement.
    rows = PostgresPoolStore(
        _database(settings, f"worker {pool.name}"), pool=pool.name, max_attempts=settings.max_attempts
    )
    ending = Ending(rows, after_s=settings.soft_shutdown_s + STOP_GRACE_S)
    watch = ProgressWatch(rows, taken, ending.end_worker, timeout_s=settings.progress_timeout_s)
    return Companions(heartbeat, watch, ending)


def _run_prediction(
    settings: Settings, backends: Backends, pool: WorkerPool, measurements: Measurements
) -> RunPrediction:
    store = PostgresJobStore(
        _database(settings, f"worker {pool.process}"),
        _database(settings, f"leases {pool.process}"),
        pool=pool,
        limits=ClaimLimits(
            settings.batch_size,
            settings.batch_rows_max,
            settings.lease_s,
            settings.slow_for_s,
            settings.patience_s,
            settings.max_attempts,
        ),
    )
    catalog = ModelCatalog(settings.model_dir, backend_in(backends))
    keep = partial(keep_lease, lease_s=settings.lease_s, look_every_s=settings.patience_s)
    after_store = failpoint(WORKER_AFTER_STORE, settings.failpoint)
    return RunPrediction(store, catalog, keep, TimeLimitError, measurements, after_store=after_store)


def _sweep(settings: Settings, app: Celery, measurements: Measurements) -> Sweep:
    limits = SweepLimits(
        settings.max_attempts, settings.resend_after_s, settings.send_grace_s, settings.sweep_limit
    )
    store = PostgresSweepStore(_database(settings, "sweeper"), limits)
    return Sweep(store, CeleryBroker(app), settings.sweep_limit, measurements)


def _retention(settings: Settings) -> Retention:
    store = PostgresRetentionStore(
        _database(settings, "retention"), results_kept=timedelta(days=settings.retention_days)
    )
    return Retention(store)


@cache
def _app() -> Celery:
    try:
        return create_app(read_settings(os.environ), BACKENDS)
    except SettingsError as error:
        sys.exit(f"worker: {error}")


def __getattr__(name: str) -> Celery:
    """Make `app` when Celery looks for it."""
    if name == "app":
        return _app()
    raise AttributeError(name)
