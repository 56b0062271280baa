"""The log of one environment: the platform's lines and the function's own, in order."""

from collections import deque
from collections.abc import Callable
from threading import Lock

# CloudWatch takes events of up to 256 KiB; an invocation's lines are bounded, so that memory is too.
MAX_LINE_CHARS = 256 * 1024 - 26
MAX_KEPT_CHARS = 4 * 1024 * 1024


class LogLines:
    """Collects lines until the end of the invocation takes them; `on_lines` hears of each batch at once."""

    def __init__(self, on_lines: Callable[[list[str]], None]) -> None:
        self._on_lines = on_lines
        self._kept: deque[str] = deque()
        self._kept_chars = 0
        self._dropped = 0
        self._partial = b""
        self._lock = Lock()

    def output(self, chunk: bytes) -> None:
        """Add what the function wrote; a line may come in pieces."""
        with self._lock:
            *complete, self._partial = (self._partial + chunk).split(b"\n")
            if len(self._partial) > MAX_LINE_CHARS:
                complete.append(self._partial)
                self._partial = b""
            self._add([_text(line) for line in complete])

    def platform(self, line: str) -> None:
        """Add a line of the platform, after what the function has written so far."""
        with self._lock:
            unfinished = [_text(self._partial)] if self._partial else []
            self._partial = b""
            self._add([*unfinished, line])

    def take(self) -> str:
        """All lines since the last take."""
        with self._lock:
            if self._partial:
                self._add([_text(self._partial)])
                self._partial = b""
            lines = list(self._kept)
            if self._dropped:
                lines.insert(0, f"[{self._dropped} earlier lines of this invocation are not kept]")
            self._kept.clear()
            self._kept_chars = self._dropped = 0
        return "".join(f"{line}\n" for line in lines)

    def _add(self, lines: list[str]) -> None:
        lines = [line for line in lines if line]
        if not lines:
            return
        self._on_lines(lines)
        self._kept.extend(lines)
        self._kept_chars += sum(map(len, lines))
        while self._kept_chars > MAX_KEPT_CHARS:
            self._kept_chars -= len(self._kept.popleft())
            self._dropped += 1


def _text(line: bytes) -> str:
    """The runtime joins the lines of a stack trace with carriage returns, so that they stay one event."""
    return line.decode("utf-8", "replace").rstrip("\r").replace("\r", "\n")[:MAX_LINE_CHARS]
