"""A taken port is found before anything starts."""

import os
import socket
import subprocess

import pytest

from stack.errors import StackError
from stack.parts import Part
from stack.ports import refuse_taken_ports


@pytest.fixture
def taken_port():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def part_on(port):
    return Part(name="redis", command=("redis-server",), probe=str, ports={"redis_port": port})


def test_holder_and_setting_are_named(taken_port):
    with pytest.raises(
        StackError, match=f"redis: port {taken_port} is taken by process {os.getpid()}"
    ) as caught:
        refuse_taken_ports([part_on(taken_port)], running={})

    assert "REDIS_PORT" in caught.value.way_out


def test_part_that_runs_holds_its_own_port(taken_port):
    refuse_taken_ports([part_on(taken_port)], running={"redis": os.getpid()})


@pytest.fixture
def pid_without_ports():
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process.pid
        process.kill()


def test_part_that_runs_on_another_port_does_not_hold_this_one(taken_port, pid_without_ports):
    with pytest.raises(StackError, match=f"port {taken_port} is taken"):
        refuse_taken_ports([part_on(taken_port)], running={"redis": pid_without_ports})


def test_free_port_passes():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    refuse_taken_ports([part_on(port)], running={})
