"""What runs now and what has run: the status endpoint's source, and the cap on environments."""

from collections import Counter
from collections.abc import Callable
from threading import Condition, Lock
from typing import Protocol


class Environment(Protocol):
    """What the registry asks of an execution environment."""

    def describe(self) -> dict[str, object]: ...  # noqa: D102 -- the protocol's docstring
    def end_now(self) -> None: ...  # noqa: D102
    def idle_since_s(self) -> float | None: ...  # noqa: D102
    def put_away(self) -> bool: ...  # noqa: D102


class Registry:
    """The environments of this LocalStack by id, and running totals."""

    def __init__(self, max_environments: int) -> None:
        self.max_environments = max_environments
        self.shutting_down = False
        self._environments: dict[str, Environment] = {}
        self._totals: Counter[str] = Counter()
        self._lock = Lock()
        self._removed = Condition(self._lock)

    def admit(self, environment_id: str, environment: Environment) -> bool:
        """Register the environment; with too many, in the place of the one that is idle longest."""
        with self._lock:
            if len(self._environments) >= self.max_environments and not self._make_room():
                return False
            self._environments[environment_id] = environment
            self._totals["started"] += 1
            return True

    def _make_room(self) -> bool:
        idle = [(since_s, key) for key, one in self._environments.items() if (since_s := one.idle_since_s())]
        for _, key in sorted(idle):
            if self._environments[key].put_away():
                del self._environments[key]
                self._totals["put_away"] += 1
                return True
        return False

    def remove(self, environment_id: str) -> None:
        """The environment is gone."""
        with self._lock:
            self._environments.pop(environment_id, None)
            self._removed.notify_all()

    def count(self, *names: str) -> None:
        """Add one to each of the named totals."""
        with self._lock:
            self._totals.update(names)

    def totals(self, known: tuple[str, ...]) -> dict[str, int]:
        """The known totals, zeros included."""
        with self._lock:
            return {name: self._totals[name] for name in known}

    def describe(self) -> list[dict[str, object]]:
        """Each environment as the status endpoint shows it."""
        return [environment.describe() for environment in self._snapshot()]

    def end_all(self, run_all: Callable[[list[Callable[[], None]]], None]) -> None:
        """LocalStack stops: every environment ends, busy or not."""
        self.shutting_down = True
        run_all([environment.end_now for environment in self._snapshot()])

    def wait_until_empty(self, timeout_s: float) -> bool:
        """Whether every environment is gone in time."""
        with self._removed:
            return self._removed.wait_for(lambda: not self._environments, timeout_s)

    def _snapshot(self) -> list[Environment]:
        with self._lock:
            return list(self._environments.values())
