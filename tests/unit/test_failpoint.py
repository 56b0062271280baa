"""A failpoint ends the process where it is named, and does nothing anywhere else."""

import signal
import subprocess
import sys
from pathlib import Path

import inference_contract
from inference_contract.failpoint import (
    PREDICT_AFTER_COMMIT,
    WORKER_AFTER_STORE,
    crash,
    failpoint,
    off,
)

CONTRACT = Path(inference_contract.__file__).parents[1]
CRASHING = (
    "import inference_contract.failpoint as it; it.failpoint('worker.after_store', 'worker.after_store')()"
)


def test_failpoint_stands_only_where_it_is_named() -> None:
    assert failpoint(WORKER_AFTER_STORE, WORKER_AFTER_STORE) is crash
    assert failpoint(WORKER_AFTER_STORE, PREDICT_AFTER_COMMIT) is off
    assert failpoint(WORKER_AFTER_STORE, "") is off


def test_crash_runs_nothing_more() -> None:
    words = f"import atexit; atexit.register(print, 'tidied up'); {CRASHING}; print('went on')"

    ended = subprocess.run(
        [sys.executable, "-c", words],
        env={"PYTHONPATH": str(CONTRACT)},
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "")
