"""One whole stack for the session, started by the launcher itself."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.whole_stack import RunningStack, eventually, own_stack


@pytest.fixture
def fresh_stack() -> Iterator[RunningStack]:
    """A stack of the test's own, not started."""
    with own_stack() as stack:
        yield stack


@pytest.fixture(scope="session")
def stack() -> Iterator[RunningStack]:
    """The running stack that the session's tests share; `make up` has succeeded."""
    with own_stack() as running:
        started = running.launch("up")
        assert started.returncode == 0, started.stdout + started.stderr
        assert "setosa" in started.stdout
        yield running


@pytest.fixture(scope="session")
def poll() -> Callable[..., Any]:
    """`poll(look, deadline_s)`: wait until `look` returns something."""
    return eventually
