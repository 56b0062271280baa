"""A real supervisord, with parts that begin badly."""

import signal

import psutil
import pytest

from stack.leftovers import end_leftovers
from stack.parts import STORES, Part
from stack.parts.nginx import nginx
from stack.parts.part import NotReadyError
from stack.parts.postgres import postgres
from stack.parts.redis import redis
from stack.ports import refuse_taken_ports
from stack.supervisor import Supervisor
from tests.whole_stack import eventually

pytestmark = pytest.mark.integration

LOOK_FOR_S = 15


@pytest.fixture
def supervisor(context):
    running = Supervisor(context)
    yield running
    running.shut_down(last=STORES)


def part(command):
    return Part(name="part", command=("/bin/sh", "-c", command), probe=lambda: "well")


def test_part_that_failed_is_tried_at_once_when_it_is_started_again(supervisor, context):
    cured = context.paths.state / "cured"
    supervisor.ensure([part(f"test -f {cured} || exit 3; exec sleep 60")])
    supervisor.start("part")
    eventually(lambda: supervisor.state_of("part").state == "BACKOFF" or None, LOOK_FOR_S)

    cured.touch()
    supervisor.start("part")

    assert supervisor.state_of("part").state == "STARTING"
    eventually(lambda: supervisor.state_of("part").state == "RUNNING" or None, LOOK_FOR_S)


class Racing(Supervisor):
    """Parts end right after it was asked which of them run."""

    def states(self):
        found = super().states()
        for each in found:
            self._stop(each.name, wait=True)
        return found


def test_part_that_ends_by_itself_meanwhile_is_no_obstacle_to_a_stop(supervisor, context):
    supervisor.ensure([part("exec sleep 60")])
    supervisor.start("part")
    eventually(lambda: supervisor.state_of("part").pid or None, LOOK_FOR_S)

    Racing(context).shut_down(last=STORES)

    assert not supervisor.is_running()


def is_well(each):
    try:
        return each.probe()
    except NotReadyError:
        return None


def test_parts_of_a_supervisor_that_was_killed_are_ended(supervisor, context):
    parts = [redis(context), postgres(context), nginx(context), part("exec sleep 60")]
    supervisor.ensure(parts)
    for each in parts:
        each.prepare()
        supervisor.start(each.name)
    for each in parts:
        eventually(lambda each=each: is_well(each), LOOK_FOR_S)
    started = psutil.Process(int((context.paths.run / "supervisord.pid").read_text())).children(
        recursive=True
    )
    psutil.Process(started[0].ppid()).send_signal(signal.SIGKILL)
    eventually(lambda: supervisor.is_running() is False or None, LOOK_FOR_S)

    end_leftovers(context)

    assert psutil.wait_procs(started, timeout=LOOK_FOR_S)[1] == []
    refuse_taken_ports(parts, running={})
