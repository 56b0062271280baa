"""I6: what Prometheus counts, beside what Postgres stores."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import urllib3

from tests.faults.fault_stack import FaultStack

SETTLED_WITHIN_S = 40.0
"""A push may be 2 s behind, a scrape 5 s; what was stopped has to start, and to be believed again, first."""
SETTLED_S = 9.0
POLL_S = 0.5
TIMEOUT_S = 3.0
OK = 200
TRANSITIONS = "sum by (from, to) (inference_job_transitions_total)"
ACCEPTED = "sum(max_over_time(inference_predictions_accepted_total[1h]))"
"""Over the whole run: the group of an environment that has ended is deleted, its last value was scraped."""
STORED_TRANSITIONS = """
SELECT coalesce(from_status, 'none'), to_status, count(*) FROM transitions GROUP BY 1, 2
"""
STORED_BY_FUNCTIONS = "SELECT count(*) FROM predictions WHERE caller <> 'unknown'"

type Counts = dict[tuple[str, str], int]
"""Transitions by the status before and after."""


@dataclass(slots=True)
class Counters:
    """Compares after each fault; `unpushed` are the submits whose count died with their process, so far."""

    stack: FaultStack
    unpushed: int | None = None

    def begin(self) -> None:
        """Find out, once, what is not pushed: nothing but what was lost before."""
        if self.unpushed is None:
            self.unpushed = self._settled_unpushed()

    def miscounted(self, *, functions_die: bool) -> list[str]:
        """I6: transitions differ; or submits that the functions counted, where none of them was killed."""
        wrong = _unequal("transitions", self._scraped_transitions, self._stored_transitions)
        if functions_die:
            self.unpushed = None
            return wrong
        return wrong + _unequal("unpushed submits", self._unpushed, lambda: self.unpushed)

    def alerts(self) -> dict[str, str]:
        """Return the state of each alert that is pending or firing, by its name."""
        found = self._ask("alerts")
        return {each["labels"]["alertname"]: each["state"] for each in found.get("alerts", [])}

    def _scraped_transitions(self) -> Counts:
        found = self._ask("query", query=TRANSITIONS).get("result", [])
        counts = {(each["metric"]["from"], each["metric"]["to"]): int(each["value"][1]) for each in found}
        return {change: count for change, count in counts.items() if count}

    def _stored_transitions(self) -> Counts:
        return {(before, after): count for before, after, count in self.stack.rows(STORED_TRANSITIONS)}

    def _unpushed(self) -> int:
        found = self._ask("query", query=ACCEPTED).get("result", [])
        [(stored,)] = self.stack.rows(STORED_BY_FUNCTIONS)
        return int(stored) - sum(int(each["value"][1]) for each in found)

    def _settled_unpushed(self) -> int:
        """Return the number when it has not changed for a while."""
        last, since, pause = self._unpushed(), time.monotonic(), threading.Event()
        while time.monotonic() - since < SETTLED_S:
            pause.wait(POLL_S)
            if (now := self._unpushed()) != last:
                last, since = now, time.monotonic()
        return last

    def _ask(self, what: str, **fields: str) -> dict[str, list[dict]]:
        """Ask Prometheus; one that does not answer has nothing to say yet."""
        port = self.stack.running.environment["PROMETHEUS_PORT"]
        with urllib3.PoolManager(retries=False, timeout=TIMEOUT_S) as http:
            try:
                answer = http.request("GET", f"http://127.0.0.1:{port}/api/v1/{what}", fields=fields)
            except urllib3.exceptions.HTTPError:
                return {}
            return answer.json()["data"] if answer.status == OK else {}


def _unequal[T](what: str, scraped: Callable[[], T], stored: Callable[[], T]) -> list[str]:
    """Compare until both are equal, or time is up."""
    end, pause = time.monotonic() + SETTLED_WITHIN_S, threading.Event()
    while (seen := scraped()) != (kept := stored()):
        if time.monotonic() > end:
            return [f"I6 {what}: Prometheus has {seen}, stored are {kept}"]
        pause.wait(POLL_S)
    return []
