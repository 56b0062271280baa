"""What a person sees while the launcher works: one line a step, and a sign of life in between."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape

from stack.errors import StackError

QUIET_LIMIT_S = 10.0
"""Longest silence where the output is no terminal and no spinner shows that work goes on."""

console = Console(highlight=False, soft_wrap=True)


@dataclass(slots=True)
class Step:
    """A step under way; `detail` ends up in its line."""

    name: str
    detail: str = ""
    started_at: float = field(default_factory=time.monotonic)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self.started_at


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Show a step while its block runs and print its line with the time it took when it is done."""
    current = Step(name)
    with _sign_of_life(current):
        yield current
    console.print(
        f"  [green]✓[/] {escape(name):<22} {current.elapsed_s:5.1f} s  [dim]{escape(current.detail)}[/]"
    )


@contextmanager
def _sign_of_life(current: Step) -> Iterator[None]:
    if console.is_terminal:
        with console.status(f"{escape(current.name)} …"):
            yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_say_still_waiting, args=(current, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _say_still_waiting(current: Step, done: threading.Event) -> None:
    while not done.wait(QUIET_LIMIT_S):
        console.print(f"  … {escape(current.name)}: {current.elapsed_s:.0f} s")


def show_error(error: StackError) -> None:
    """Print what failed, why, the end of its log, and what to do."""
    console.print(f"\n  [red]✗ {escape(error.part)}[/]: {escape(error.reason)}")
    if error.log is not None:
        console.print(f"    log: {escape(str(error.log))}")
    for line in error.log_tail():
        console.print(f"    [dim]| {escape(line)}[/]")
    console.print(f"    [bold]what to do[/]: {escape(error.way_out)}")
