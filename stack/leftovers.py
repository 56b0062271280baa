"""Finds processes of a stack that outlived its supervisor, so that the next start is not in their way."""

from contextlib import suppress
from pathlib import Path

import psutil

from stack.context import Context

STOP_WAIT_S = 10
MARK = "STACK_STATE_DIR"
"""Variable in the environment of the supervisor and of all that it starts."""
RETITLED = ("nginx", "postgres", "redis-server")
"""Write their title over environment and command line; they still work in a folder of the stack."""


def end_leftovers(context: Context) -> int:
    """End processes that this stack's folder started and that no supervisor owns any more.

    Call it only while this stack's supervisor does not run.

    Returns:
        how many there were.
    """
    processes = _leftovers(context)
    # One may end with another, before its own turn.
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=STOP_WAIT_S)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return len(processes)


def _leftovers(context: Context) -> list[psutil.Process]:
    ours = psutil.Process()
    family = {ours.pid, *(parent.pid for parent in ours.parents())}
    return [
        process for process in psutil.process_iter() if process.pid not in family and _is_of(process, context)
    ]


def _is_of(process: psutil.Process, context: Context) -> bool:
    """Recognise a part by its mark; anybody's shell or editor may be in a folder of the stack."""
    try:
        if process.environ().get(MARK) == str(context.paths.state):
            return True
        folder = Path(process.cwd())
        return process.name() in RETITLED and any(
            folder.is_relative_to(own) for own in (context.paths.state, context.paths.shared)
        )
    except psutil.Error:
        return False
