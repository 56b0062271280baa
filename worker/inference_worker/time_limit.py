"""Ends a task that takes too long, from within its own process (ADR 0003).

Celery's own timers live in the main process. They stand still while it looks for a lost broker, and then
fire at children whose tasks are long done; one that dies of it can leave the main process deaf.
"""

import faulthandler
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

from inference_worker.errors import TimeLimitError

type TimeLimit = Callable[[], AbstractContextManager[None]]
"""Limits the time that a block may take."""


@contextmanager
def time_limit(soft_s: float, hard_s: float) -> Iterator[None]:
    """Raise in the block after `soft_s` seconds; end this process, with a trace in the log, after `hard_s`.

    The hard limit is kept by a thread that needs no interpreter lock: it ends native code that never returns.
    Only for the main thread of a pool's child.

    Raises:
        TimeLimitError: the soft limit is reached.
    """

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise TimeLimitError

    before = signal.signal(signal.SIGALRM, give_up)
    faulthandler.dump_traceback_later(hard_s, exit=True)
    signal.setitimer(signal.ITIMER_REAL, soft_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, before)
