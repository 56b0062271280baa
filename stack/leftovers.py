"""Finds processes of a stack that outlived its supervisor, so that the next start is not in their way."""

import psutil

from stack.context import Context

STOP_WAIT_S = 10


def end_leftovers(context: Context) -> int:
    """End processes that this stack's folder started and that no supervisor owns any more.

    Call it only while this stack's supervisor does not run.

    Returns:
        how many there were.
    """
    processes = _leftovers(context)
    for process in processes:
        process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=STOP_WAIT_S)
    for process in alive:
        process.kill()
    return len(processes)


def _leftovers(context: Context) -> list[psutil.Process]:
    ours = psutil.Process()
    family = {ours.pid, *(parent.pid for parent in ours.parents())}
    return [
        process for process in psutil.process_iter() if process.pid not in family and _is_of(process, context)
    ]


def _is_of(process: psutil.Process, context: Context) -> bool:
    """Recognise a part by the mark in its environment, or by its own folder in its command line.

    Postgres and Nginx write their title over the one or the other.
    """
    try:
        environment, command = process.environ(), " ".join(process.cmdline())
    except psutil.Error:
        return False
    if environment.get("STACK_STATE_DIR") == str(context.paths.state):
        return True
    folders = (context.paths.rendered, context.paths.postgres)
    return any(f"{folder}/" in command for folder in folders)
