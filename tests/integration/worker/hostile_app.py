"""The worker's wiring with the test's own model backend: `celery -A hostile_app worker|beat`."""

import os

import hostile_model
from inference_worker.celery_app import create_app
from inference_worker.settings import read_settings

app = create_app(read_settings(os.environ), {"hostile": lambda: hostile_model.load})
