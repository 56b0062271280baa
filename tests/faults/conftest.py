"""A stack of its own for all faults, and the account of what they cost."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from tests.faults.counters import Counters
from tests.faults.episode import Episode, under_load, warm_up
from tests.faults.fault_stack import FaultStack, fault_stack
from tests.faults.ledger import Ledger

LEDGER = pytest.StashKey[Ledger]()

type UnderLoad = Callable[..., AbstractContextManager[Episode]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=None, help="of the random faults; a new one without it")
    parser.addoption("--minutes", type=float, default=5.0, help="how long faults are made at random")
    parser.addoption("--figures", type=Path, default=None, help="write what the faults cost to this file")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    ledger = config.stash.get(LEDGER, None)
    if ledger is None or not ledger.entries:
        return
    terminalreporter.section("what the faults cost")
    for line in ledger.table():
        terminalreporter.write_line(line)
    figures = config.getoption("figures", default=None)
    if figures is not None:
        ledger.write(figures)


@pytest.fixture(scope="session")
def ledger(pytestconfig: pytest.Config) -> Ledger:
    """The account of the run, shown at its end."""
    return pytestconfig.stash.setdefault(LEDGER, Ledger())


@pytest.fixture(scope="session")
def stack() -> Iterator[FaultStack]:
    """The stack that all faults share; each leaves it well or is waited for."""
    with fault_stack() as running:
        warm_up(running)
        yield running


@pytest.fixture(scope="session")
def counters(stack: FaultStack) -> Counters:
    """What Prometheus counts, for the whole run."""
    return Counters(stack)


@pytest.fixture(name="under_load")
def _under_load(stack: FaultStack, counters: Counters, ledger: Ledger) -> UnderLoad:
    """`with under_load("what is done") as episode:`: its block is the fault, its end checks all."""
    return partial(under_load, stack, counters, ledger)
