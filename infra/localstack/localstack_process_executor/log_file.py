"""The one file in which every function's log can be followed."""

import logging
from itertools import pairwise
from pathlib import Path
from threading import Lock

from localstack_process_executor.platform_log import utc_now_text

LOG = logging.getLogger(__name__)
MAX_BYTES = 10 * 1024 * 1024
KEPT_FILES = 2
"""As the supervisor keeps every other part's log: the file, and two that were full before."""


class LogFile:
    """Appends lines with time and function; a file that cannot be written never fails a function."""

    def __init__(self, path: Path | None, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._warned = False

    def append(self, function_name: str, lines: list[str]) -> None:
        """Write each line as `<time> <function> | <line>`; an event of several lines is split."""
        if self._path is None:
            return
        prefix = f"{utc_now_text()} {function_name} | "
        text = "".join(f"{prefix}{part}\n" for line in lines for part in line.split("\n"))
        with self._lock:
            try:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(text)
                    is_full = file.tell() >= self._max_bytes
                if is_full:
                    _make_room(self._path)
                self._warned = False
            except OSError as error:
                if not self._warned:
                    LOG.warning("function logs are not written to %s: %s", self._path, error)
                self._warned = True


def _make_room(path: Path) -> None:
    """Give a full file the number 1, and each that has a number the next; the last is gone with that."""
    names = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, KEPT_FILES + 1))]
    for younger, older in reversed(list(pairwise(names))):
        if younger.exists():
            younger.replace(older)
