"""The worker's wiring with the tests' own model backend instead of the real ones."""

import os

from inference_worker.celery_app import create_app
from inference_worker.settings import read_settings

from tests.integration.worker import hostile_model

app = create_app(read_settings(os.environ), {"hostile": lambda: hostile_model.load})
