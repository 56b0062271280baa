"""The launcher's one error: it always names the part, the reason and the way out."""

from pathlib import Path

from inference_contract.errors import InferenceError

LOG_TAIL_LINES = 12


class StackError(InferenceError):
    """A part of the stack could not be brought up."""

    def __init__(self, part: str, reason: str, *, way_out: str, log: Path | None = None) -> None:
        """Keep what a person needs to act.

        Args:
            part: the part that failed, as `make status` names it.
            reason: what happened, in one line.
            way_out: what to do about it.
            log: the part's log file; its last lines are shown.
        """
        super().__init__(f"{part}: {reason}")
        self.part = part
        self.reason = reason
        self.way_out = way_out
        self.log = log

    def log_tail(self) -> list[str]:
        """Return the last lines of the part's log, oldest first; empty where there is none."""
        if self.log is None or not self.log.is_file():
            return []
        return self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
