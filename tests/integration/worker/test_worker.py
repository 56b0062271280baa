"""A real worker on real Postgres and Redis: what happens to jobs when all goes well, and when it does not."""


import pytest

from tests.integration.worker.conftest import Stack

pytestmark = pytest.mark.integration


def test_job_is_predicted_and_stored(stack: Stack) -> None:
    stack.worker()
    task_id = stack.insert(1.0, 2.0)
    stack.send(task_id)

    job = stack.finished(task_id)

    assert job["status"] == "succeeded"
    assert job["prediction"] == [
        {"label": "value 1", "probabilities": {"value 1": 1.0}},
        {"label": "value 2", "probabilities": {"value 2": 1.0}},
    ]
    assert job["attempts"] == 1
