"""LocalStack and Nginx: the way in breaks, and what came in before does not."""

import signal
import time

import psutil
import pytest
import urllib3
from localstack_harness import is_running

from tests.faults.conftest import UnderLoad
from tests.faults.episode import warm_up
from tests.faults.fault_stack import FaultStack
from tests.faults.limits import SUBMIT_WITHIN_S
from tests.faults.load import Client
from tests.faults.pure_model import HOSTILE, Action
from tests.faults.recorder import ACCEPTED, NO_ANSWER
from tests.whole_stack import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(300)]

PROBLEM = "application/problem+json"
ANSWER_WITHIN_S = 1.0
ORPHANS_GONE_WITHIN_S, STOP_LOOKING_S = 2.0, 20.0
DEPLOYED_WITHIN_S = 60.0
NGINX_BACK_WITHIN_S = 5.0
BUSY_S = 3.0
PROBES = 5


def _functions_of(process: psutil.Process) -> list[psutil.Process]:
    return [child for child in process.children(recursive=True) if child.is_running()]


@pytest.mark.faults_core
def test_killed_localstack_answers_in_form_leaves_no_orphan_and_comes_back(
    under_load: UnderLoad, stack: FaultStack
) -> None:
    with under_load("LocalStack killed", functions_die=True) as episode:
        queued = [episode.client.submit(Action.SLEEP, BUSY_S, model=HOSTILE).task_id for _ in range(PROBES)]
        functions = _functions_of(stack.process_of("localstack"))
        stack.kill("localstack")
        killed_at = episode.over()
        answers = [episode.client.submit() for _ in range(PROBES)]
        eventually(lambda: not any(is_running(each.pid) for each in functions) or None, STOP_LOOKING_S)
        orphans_gone_s = time.time() - killed_at
        for task_id in queued:
            eventually(lambda task_id=task_id: _done(stack, task_id), DEPLOYED_WITHIN_S)
        back_at = _accepted_again_at(episode.client)

    assert functions
    assert orphans_gone_s <= ORPHANS_GONE_WITHIN_S
    assert {answer.status for answer in answers} <= {502, 503}
    assert {answer.content_type for answer in answers} == {PROBLEM}
    assert max(answer.latency_s for answer in answers) <= ANSWER_WITHIN_S
    assert back_at - killed_at <= DEPLOYED_WITHIN_S
    assert max(each.latency_s for each in episode.recorder.accepted()) < SUBMIT_WITHIN_S
    assert {each.status for each in episode.recorder.refused()} <= {502, 503, 504}
    warm_up(stack)


def test_nginx_reloads_without_a_failed_request(under_load: UnderLoad, stack: FaultStack) -> None:
    with under_load("Nginx reloaded") as episode:
        for _ in range(PROBES):
            stack.process_of("nginx").send_signal(signal.SIGHUP)
            episode.keep_up(1)
        episode.over()

    assert episode.recorder.failed() == []


def test_killed_nginx_is_back_within_seconds(under_load: UnderLoad, stack: FaultStack) -> None:
    with under_load("Nginx killed") as episode:
        stack.kill("nginx")
        killed_at = episode.over()
        back_at = _accepted_again_at(episode.client)
        eventually(lambda: _owns_its_port(stack), DEPLOYED_WITHIN_S)

    assert back_at - killed_at <= NGINX_BACK_WITHIN_S
    assert {each.status for each in episode.recorder.failed()} <= {NO_ANSWER}


def _owns_its_port(stack: FaultStack) -> bool | None:
    """Whether all that listen for clients belong to the supervised Nginx: none is left of the killed one."""
    port = int(stack.running.environment["HTTP_PORT"])
    listening = {
        found.pid
        for found in psutil.net_connections(kind="tcp4")
        if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr[1] == port
    }
    try:
        main = stack.process_of("nginx")
        family = {main.pid, *(child.pid for child in main.children())}
    except psutil.NoSuchProcess:
        return None
    return (bool(listening) and listening <= family) or None


def _accepted_again_at(client: Client) -> float:
    def accepted() -> float | None:
        try:
            return time.time() if client.submit().status == ACCEPTED else None
        except urllib3.exceptions.HTTPError:
            return None

    return eventually(accepted, 2 * DEPLOYED_WITHIN_S)


def _done(stack: FaultStack, task_id: str | None) -> bool | None:
    [(status,)] = stack.rows("SELECT status FROM predictions WHERE task_id = %s", task_id)
    return status == "succeeded" or None
