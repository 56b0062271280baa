"""The one file in which every function's log can be followed."""

import logging
from pathlib import Path
from threading import Lock

from localstack_process_executor.platform_log import utc_now_text

LOG = logging.getLogger(__name__)


class LogFile:
    """Appends lines with time and function; a file that cannot be written never fails a function."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
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
                self._warned = False
            except OSError as error:
                if not self._warned:
                    LOG.warning("function logs are not written to %s: %s", self._path, error)
                self._warned = True
