"""What several files of tests do with a job."""

import os
import signal

from tests.integration.parts import wait_until
from tests.integration.worker.conftest import DONE_S, Stack


def label(job: dict[str, object]) -> str:
    assert job["status"] == "succeeded", job
    prediction = job["prediction"]
    assert isinstance(prediction, list)
    return str(prediction[0]["label"])


def wait_for_claim(stack: Stack, task_id: str) -> None:
    wait_until(lambda: stack.job(task_id)["status"] == "running", timeout_s=DONE_S, what="the claim")


def kill_holder(stack: Stack, task_id: str) -> None:
    wait_for_claim(stack, task_id)
    _, _, pid = str(stack.job(task_id)["worker"]).partition("/")
    os.kill(int(pid), signal.SIGKILL)
