"""Finds processes of a stack that outlived its supervisor, so that the next start is not in their way."""

from contextlib import suppress

import psutil

from stack.context import Context

STOP_WAIT_S = 10
MARK = "STACK_STATE_DIR"
"""Variable in the environment of the supervisor and of all that it starts."""
RETITLED = ("nginx", "postgres")
"""Write their title over their environment; their command line still names their own folder."""


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
    """Recognise a part by its mark; anybody's editor may have a file of the stack in its command line."""
    try:
        name, environment, command = process.name(), process.environ(), " ".join(process.cmdline())
    except psutil.Error:
        return False
    if environment.get(MARK) == str(context.paths.state):
        return True
    if name not in RETITLED:
        return False
    folders = (context.paths.rendered, context.paths.postgres)
    return any(f"{folder}/" in command for folder in folders)
