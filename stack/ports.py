"""Finds out before anything starts whether a port is free, and who has it when it is not."""

import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress

import psutil

from stack.context import LOOPBACK
from stack.errors import StackError
from stack.parts import Part


def refuse_taken_ports(parts: Iterable[Part], running: Mapping[str, int]) -> None:
    """Check the ports of every part, but for those that it holds itself.

    Args:
        parts: the parts of the stack.
        running: process ids of those that run; a setting may have given one another port since.

    Raises:
        StackError: a port is taken; names the part, the holder, and the setting to change.
    """
    for part in parts:
        held = _ports_of(running[part.name]) if part.name in running else set[int]()
        for setting, port in part.ports.items():
            if port not in held and not _is_free(port):
                raise StackError(
                    part.name,
                    f"port {port} is taken by {_holder(port)}",
                    way_out=f"stop that process, or set {setting.upper()} in .env to a free port",
                )


def _ports_of(pid: int) -> set[int]:
    """Return the ports on which a process or one of its children listens."""
    ports = set[int]()
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for member in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):  # gone meanwhile, or one that changed its user
                listening = (
                    each for each in member.net_connections("tcp") if each.status == psutil.CONN_LISTEN
                )
                ports.update(each.laddr[1] for each in listening)
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _holder(port: int) -> str:
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return "another process"
    for connection in connections:
        if connection.status != psutil.CONN_LISTEN or not connection.pid:
            continue
        if connection.laddr[1:] == (port,):
            with suppress(psutil.NoSuchProcess):
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "another process"
