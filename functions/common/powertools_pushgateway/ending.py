"""The end of an environment: a SIGTERM, or the interpreter's own."""

import atexit
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType


def before_the_end(finish: Callable[[], None]) -> None:
    """Call `finish` at exit and at SIGTERM, before what SIGTERM would have done without it.

    Outside of the main thread Python allows no signal handler, and one set in C cannot be called from here:
    then at exit only.
    """
    atexit.register(finish)
    previous = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or previous in (None, signal.SIG_IGN):
        return

    def on_sigterm(number: int, frame: FrameType | None) -> None:
        finish()
        if callable(previous):
            previous(number, frame)
        else:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, on_sigterm)
