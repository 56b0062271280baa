"""Finds out before anything starts whether a port is free, and who has it when it is not."""

import socket
from collections.abc import Iterable

import psutil

from stack.context import LOOPBACK
from stack.errors import StackError
from stack.parts import Part


def refuse_taken_ports(parts: Iterable[Part], running: set[str]) -> None:
    """Check the ports of every part that does not run yet.

    Args:
        parts: the parts of the stack.
        running: names of those that run and so hold their ports themselves.

    Raises:
        StackError: a port is taken; names the part, the holder, and the setting to change.
    """
    for part in parts:
        if part.name in running:
            continue
        for setting, port in part.ports.items():
            if not _is_free(port):
                raise StackError(
                    part.name,
                    f"port {port} is taken by {_holder(port)}",
                    way_out=f"stop that process, or set {setting.upper()} in .env to a free port",
                )


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
            return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "another process"
