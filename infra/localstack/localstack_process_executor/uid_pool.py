"""User ids that one environment alone runs under, unique on the machine and not only in this LocalStack."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from threading import Lock

from localstack_process_executor.errors import UidsExhaustedError

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class UidLease:
    """A user id and the lock that says so; the guard holds the lock too, so that it outlives LocalStack."""

    uid: int
    lock: socket.socket

    def release(self) -> None:
        """Let go of this side's hold."""
        self.lock.close()


class UidPool:
    """Hands out the ids of a range in turn, so that each rests for as long as possible."""

    def __init__(self, uids: range) -> None:
        self._uids = uids
        self._turn: Iterator[int] = cycle(uids)
        self._lock = Lock()

    def lease(self) -> UidLease:
        """A user id that runs nothing on this machine.

        Raises:
            UidsExhaustedError: when there is none.
        """
        with self._lock:
            busy = _uids_of_processes()
            for uid in (next(self._turn) for _ in self._uids):
                if uid not in busy and (lock := _locked(uid)) is not None:
                    return UidLease(uid, lock)
        raise UidsExhaustedError(
            f"every user id from {self._uids[0]} to {self._uids[-1]} is in use: widen the range"
        )

    @contextmanager
    def borrowed(self) -> Iterator[int]:
        """A user id for a short probe."""
        lease = self.lease()
        try:
            yield lease.uid
        finally:
            lease.release()


def _locked(uid: int) -> socket.socket | None:
    """An abstract socket name is free again exactly when its last holder has ended, however it ended."""
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        lock.bind(f"\0localstack-process-executor-uid-{uid}")
    except OSError:
        lock.close()
        return None
    return lock


def _uids_of_processes() -> set[int]:
    uids = set()
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                uids.add(entry.stat().st_uid)
            except FileNotFoundError:
                continue
    return uids
