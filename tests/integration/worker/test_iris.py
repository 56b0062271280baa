"""The model that ships: trained by its command, registered, loaded by skops and asked through the queue."""

import subprocess
import sys

import pytest

from tests.integration.parts import ROOT
from tests.integration.worker.conftest import Stack

pytestmark = pytest.mark.integration

FLOWERS = {
    "setosa": (5.1, 3.5, 1.4, 0.2),
    "versicolor": (6.0, 2.7, 4.2, 1.3),
    "virginica": (6.7, 3.0, 5.8, 2.2),
}


def test_iris_is_trained_registered_and_served(stack: Stack) -> None:
    models = stack.folder / "shipped"
    train = [sys.executable, "-m", "training.iris", str(models)]
    environment = stack.environment()
    first = subprocess.run(train, check=True, cwd=ROOT, env=environment, capture_output=True, text=True)
    again = subprocess.run(train, check=True, cwd=ROOT, env=environment, capture_output=True, text=True)
    stack.worker(app="inference_worker.celery_app", MODEL_DIR=str(models))
    task_ids = {label: stack.insert_rows(flower, model="iris") for label, flower in FLOWERS.items()}
    stack.send(*task_ids.values())

    for label, task_id in task_ids.items():
        job = stack.finished(task_id)
        assert job["status"] == "succeeded"
        assert isinstance(job["prediction"], list)
        assert job["prediction"][0]["label"] == label
        assert sum(job["prediction"][0]["probabilities"].values()) == pytest.approx(1.0)
    assert "held-out accuracy 0.9" in first.stdout
    assert "up to date" in again.stdout
    assert stack.postgres.rows("SELECT classes FROM models WHERE name = 'iris'") == [(list(FLOWERS),)]
