"""Entry file of predict, run as Lambda's init: reads the environment, names the adapters, wires."""

import os

from inference_api.http_app import new_app
from inference_api.job_store import JobWriter
from inference_api.observability import powertools
from inference_api.postgres import Database
from inference_api.registry import ModelRegistry
from inference_api.settings import Settings
from inference_api.task_sender import TaskSender
from inference_contract.failpoint import PREDICT_AFTER_COMMIT, failpoint
from known_models import KnownModels
from submit import Submit
from submit_routes import add_submit_routes

settings = Settings.from_environment(os.environ, service="predict")
telemetry = powertools(settings)
database = Database(settings.database_url, settings.service)
submit = Submit(
    models=KnownModels(ModelRegistry(database)),
    jobs=JobWriter(database, settings.limits),
    wakeups=TaskSender(settings.broker_url),
    limits=settings.limits,
    after_commit=failpoint(PREDICT_AFTER_COMMIT, settings.failpoint),
)
app = new_app(settings.service, telemetry)
add_submit_routes(app, telemetry, submit)
