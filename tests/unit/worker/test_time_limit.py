"""A task ends within its limits, in its own process."""

import signal
import subprocess
import sys
import threading

import pytest
from inference_worker.errors import TimeLimitError
from inference_worker.time_limit import time_limit

LONG_S = 30
HANG_WITHOUT_THE_INTERPRETER = """
import ctypes
from inference_worker.time_limit import time_limit
with time_limit(30, 0.3):
    ctypes.PyDLL(None).sleep(30)  # keeps the interpreter lock
"""


def test_block_that_takes_too_long_is_interrupted():
    with pytest.raises(TimeLimitError), time_limit(0.05, LONG_S):
        threading.Event().wait(LONG_S)


def test_quick_block_leaves_no_alarm_behind():
    before = signal.getsignal(signal.SIGALRM)

    with time_limit(LONG_S, LONG_S):
        pass

    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_native_code_that_never_returns_ends_the_process():
    ended = subprocess.run(
        [sys.executable, "-c", HANG_WITHOUT_THE_INTERPRETER],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=LONG_S / 2,
        check=False,
    )

    assert ended.returncode == 1
    assert "Timeout" in ended.stderr
