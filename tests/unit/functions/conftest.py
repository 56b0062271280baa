"""Both functions' apps over fakes; their modules lie flat here as in the zips."""

import io
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "functions" / name) for name in ("predict", "results")]

from change import Cancel, Requeue  # noqa: E402 - the path is set above
from change_routes import add_change_routes  # noqa: E402
from health_routes import add_health_routes  # noqa: E402
from inference_api.http_app import new_app  # noqa: E402
from inference_api.observability import Telemetry, powertools  # noqa: E402
from inference_api.settings import Settings  # noqa: E402
from inference_api.shedding import Limits  # noqa: E402
from known_models import KnownModels  # noqa: E402
from list_jobs import ListJobs  # noqa: E402
from list_routes import add_list_routes  # noqa: E402
from lookup import Lookup  # noqa: E402
from lookup_fakes import FakeBroker, FakeChanges, FakeJobs, FakeWorkers  # noqa: E402
from lookup_routes import add_lookup_routes  # noqa: E402
from readiness import Readiness  # noqa: E402
from submit import Submit  # noqa: E402
from submit_fakes import FakeJobs as FakeSubmittedJobs  # noqa: E402
from submit_fakes import FakeRegistry, FakeWakeups  # noqa: E402
from submit_routes import add_submit_routes  # noqa: E402

from tests.unit.functions.gateway import Gateway, Predict, Results  # noqa: E402


@pytest.fixture
def log() -> io.StringIO:
    """What the functions log in this test."""
    return io.StringIO()


@pytest.fixture
def telemetry(request: pytest.FixtureRequest, log: io.StringIO) -> Iterator[Telemetry]:
    own_name = request.node.nodeid  # Powertools keeps one logger a name for the whole process
    made = powertools(Settings("postgresql://nowhere", "redis://nowhere", "INFO", own_name, "tests"))
    for handler in logging.getLogger(own_name).handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(log)
    yield made
    made.metrics.provider.clear_metrics()


@pytest.fixture
def predict(telemetry: Telemetry) -> Predict:
    registry, jobs = FakeRegistry(), FakeSubmittedJobs(limits=Limits(of_caller=3, in_all=5))
    wakeups = FakeWakeups(jobs)
    app = new_app("predict", telemetry)
    add_submit_routes(app, telemetry, Submit(KnownModels(registry), jobs, wakeups, jobs.limits))
    return Predict(Gateway(app), registry, jobs, wakeups)


@pytest.fixture
def results(telemetry: Telemetry) -> Results:
    jobs, workers, broker = FakeJobs(), FakeWorkers(), FakeBroker()
    changes = FakeChanges(jobs, Limits(of_caller=3, in_all=5))
    app = new_app("results", telemetry)
    add_lookup_routes(app, telemetry, Lookup(jobs, jobs.clock))
    add_list_routes(app, telemetry, ListJobs(jobs))
    add_change_routes(app, telemetry, Cancel(jobs, changes), Requeue(jobs, changes, changes.limits))
    add_health_routes(app, telemetry, Readiness(workers, broker))
    return Results(Gateway(app), jobs, changes, workers, broker)
