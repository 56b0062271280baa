"""What a worker's endpoint shows is what its processes did, also those that ended."""

import socket
from collections.abc import Callable

import pytest
import urllib3
from inference_contract.names import QUEUE_PREDICTIONS
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.parts import free_port, wait_until
from tests.integration.worker import hostile_model
from tests.integration.worker.conftest import DONE_S, Stack
from tests.integration.worker.steps import kill_holder

OF_MODEL = {"model": "hostile", "version": "1"}
JOBS = 12

pytestmark = pytest.mark.integration

type Look = Callable[..., float | None]


class Endpoint:
    """A port for a worker's metrics, and the settings that open it."""

    def __init__(self, stack: Stack) -> None:
        self.port = free_port()
        self.settings = {
            "WORKER_METRICS_PORT": str(self.port),
            "PROMETHEUS_MULTIPROC_DIR": str(stack.folder / f"metrics-{self.port}"),
        }

    def shown(self, name: str, **labels: str) -> float | None:
        with urllib3.PoolManager(retries=False, timeout=5) as http:
            page = http.request("GET", f"http://127.0.0.1:{self.port}/metrics").data.decode()
        samples = [
            sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(samples) if samples else None

    def wait(self, name: str, value: float, **labels: str) -> None:
        wait_until(
            lambda: self.shown(name, **labels) == value,
            timeout_s=DONE_S,
            what=f"{name} {labels} to be {value}, not {self.shown(name, **labels)}",
        )


@pytest.fixture
def endpoint(stack: Stack) -> Endpoint:
    return Endpoint(stack)


def run_jobs(stack: Stack, count: int = JOBS) -> None:
    ids = [stack.insert(1.0) for _ in range(count)]
    stack.send(*ids)
    for task_id in ids:
        assert stack.finished(task_id)["status"] == "succeeded"


def test_counts_equal_the_jobs_done_also_by_processes_that_were_replaced(
    stack: Stack, endpoint: Endpoint
) -> None:
    stack.worker(concurrency=2, TASKS_PER_CHILD_MAX="2", BATCH_SIZE="1", **endpoint.settings)
    stack.beat()  # A model that was never timed leaves a process free: its rows are woken up by sweeps.

    run_jobs(stack)

    endpoint.wait("inference_worker_completion_seconds_count", JOBS, **OF_MODEL)
    assert endpoint.shown("inference_worker_queue_seconds_count", **OF_MODEL) == JOBS
    assert endpoint.shown("inference_worker_rows_total", **OF_MODEL, outcome="succeeded") == JOBS
    assert endpoint.shown("inference_worker_batch_jobs_sum", **OF_MODEL) == JOBS
    files = list((stack.folder / f"metrics-{endpoint.port}").glob("counter_*.db"))
    assert len(files) <= 3, "one of the main process, and one a place in the pool"


def test_killed_process_loses_no_counts_of_before(stack: Stack, endpoint: Endpoint) -> None:
    stack.worker(LEASE_S="60", **endpoint.settings)
    run_jobs(stack, 3)
    endpoint.wait("inference_worker_completion_seconds_count", 3, **OF_MODEL)

    task_id = stack.insert_rows((1.0,), model="neighbour")
    slow = stack.insert(hostile_model.SLEEP + 60)
    stack.send(slow)
    kill_holder(stack, slow)
    stack.send(task_id)
    stack.finished(task_id)

    endpoint.wait("inference_worker_completion_seconds_count", 4)


def test_sweeps_reach_the_endpoint_from_the_process_that_made_them(stack: Stack, endpoint: Endpoint) -> None:
    stack.worker(**endpoint.settings)
    stack.beat()

    task_id = stack.insert(1.0)

    assert stack.finished(task_id)["status"] == "succeeded"
    endpoint.wait("inference_sweeper_actions_total", 1, action="wake_up_sent")
    assert (endpoint.shown("inference_sweeper_last_run_timestamp_seconds") or 0) > 0


def test_refused_messages_are_counted(stack: Stack, endpoint: Endpoint) -> None:
    stack.worker(**endpoint.settings)

    with stack.redis.client() as client:
        client.lpush(QUEUE_PREDICTIONS, b"rubbish", b"{}")

    endpoint.wait("inference_messages_refused_total", 2)


def test_worker_that_starts_anew_begins_at_zero(stack: Stack, endpoint: Endpoint) -> None:
    first = stack.worker(**endpoint.settings)
    run_jobs(stack, 2)
    endpoint.wait("inference_worker_completion_seconds_count", 2, **OF_MODEL)
    first.kill()

    stack.worker(**endpoint.settings)

    endpoint.wait("inference_worker_completion_seconds_count", 0, **OF_MODEL)


def test_port_that_is_taken_costs_no_job_and_is_served_once_free(stack: Stack, endpoint: Endpoint) -> None:
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", endpoint.port))
        holder.listen()
        worker = stack.worker(**endpoint.settings)
        run_jobs(stack, 1)
        assert "metrics are not served yet" in worker.output

    def served() -> bool:
        try:
            return endpoint.shown("inference_worker_completion_seconds_count", **OF_MODEL) == 1
        except urllib3.exceptions.HTTPError:
            return False

    wait_until(served, timeout_s=DONE_S, what="the endpoint")


def test_folder_that_cannot_be_written_costs_no_job(stack: Stack, endpoint: Endpoint) -> None:
    in_the_way = stack.folder / f"file-{endpoint.port}"
    in_the_way.write_text("")
    settings = endpoint.settings | {"PROMETHEUS_MULTIPROC_DIR": str(in_the_way / "metrics")}

    worker = stack.worker(**settings)

    run_jobs(stack, 1)
    assert "nothing is measured" in worker.output
