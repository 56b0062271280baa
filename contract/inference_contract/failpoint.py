"""Places at which tests have a process killed, to see what a crash leaves; off unless FAILPOINT names one."""

import os
import signal
from collections.abc import Callable
from typing import Final

PREDICT_AFTER_COMMIT: Final = "predict.after_commit"
"""The row is committed, its wake-up is not sent."""

WORKER_AFTER_STORE: Final = "worker.after_store"
"""The results are written, the message is not acknowledged."""

FAILPOINTS: Final = ("", PREDICT_AFTER_COMMIT, WORKER_AFTER_STORE)
"""What FAILPOINT may be; empty for none."""

type Failpoint = Callable[[], None]
"""Stands at a place in a use case, and is called each time."""


def off() -> None:
    """Go on: what stands there in every process but a test's."""


def crash() -> None:
    """Kill this process with its group, as a machine that loses power does: nothing is tidied up."""
    os.killpg(0, signal.SIGKILL)


def failpoint(place: str, named: str) -> Failpoint:
    """Return what stands at `place` where FAILPOINT is `named`."""
    return crash if named == place else off
