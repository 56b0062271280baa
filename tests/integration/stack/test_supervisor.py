"""A real supervisord, with parts that begin badly."""

import pytest

from stack.parts import STORES, Part
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
    return Part(name="part", command=("/bin/sh", "-c", command), probe=str)


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
