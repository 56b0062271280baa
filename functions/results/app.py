"""Entry file of results, run as Lambda's init: reads the environment, names the adapters, wires."""

import os

from change import Cancel, Requeue
from change_routes import add_change_routes
from health_routes import add_health_routes
from inference_api.broker_ping import BrokerPing
from inference_api.http_app import new_app
from inference_api.job_changes import JobChanges
from inference_api.job_store import JobReader
from inference_api.observability import powertools
from inference_api.postgres import Database
from inference_api.registry import WorkerHeartbeats
from inference_api.settings import Settings
from list_jobs import ListJobs
from list_routes import add_list_routes
from lookup import Lookup
from lookup_routes import add_lookup_routes
from readiness import Readiness

settings = Settings.from_environment(os.environ, service="results")
telemetry = powertools(settings)
database = Database(settings.database_url, settings.service)
app = new_app(settings.service, telemetry)
jobs, changes = JobReader(database), JobChanges(database, settings.limits)
add_lookup_routes(app, telemetry, Lookup(jobs))
add_list_routes(app, telemetry, ListJobs(jobs))
add_change_routes(app, telemetry, Cancel(jobs, changes), Requeue(jobs, changes, settings.limits))
add_health_routes(app, telemetry, Readiness(WorkerHeartbeats(database), BrokerPing(settings.broker_url)))
