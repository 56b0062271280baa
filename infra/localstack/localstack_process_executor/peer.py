"""Which user holds the other end of a connection, so that one function cannot pose as another."""

import socket
import struct
from pathlib import Path

TCP_TABLE = Path("/proc/net/tcp")


def owner_of_peer(peer: tuple[str, int], listener: socket.socket, table: Path = TCP_TABLE) -> int | None:
    """The user id of the process that connected from `peer`, or None where the kernel does not say."""
    wanted = _hex_address(peer), _hex_address(listener.getsockname())
    for line in table.read_text().splitlines()[1:]:
        fields = line.split()
        if (fields[1], fields[2]) == wanted:
            return int(fields[7])
    return None


def _hex_address(address: tuple[str, int]) -> str:
    (as_number,) = struct.unpack("=I", socket.inet_aton(address[0]))
    return f"{as_number:08X}:{address[1]:04X}"
