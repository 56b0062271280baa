"""The load under Locust: one user, which starts a greenlet for each arrival, whatever became of others."""

import random
import time
import uuid
from collections.abc import Mapping
from typing import Any

import gevent
from gevent.pool import Group
from inference_contract.names import HEADER_API_KEY
from locust import FastHttpUser, events, task
from locust.exception import StopUser

from load.arrivals import Plan, body
from load.journey import Answer, Journey
from load.tally import Tally

AT_ONCE = 5000
"""Connections at once: arrivals must never wait for one."""
TIMEOUT_S = 30.0
FOLLOW = "GET /results/{task_id}?wait"


class Arrivals(FastHttpUser):
    """The one user; each run of it is a caller of its own, so that its rows can be told apart."""

    fixed_count = 1
    concurrency = AT_ONCE
    network_timeout = TIMEOUT_S
    connection_timeout = TIMEOUT_S

    def on_start(self) -> None:
        """Take the plan, from the command line or Locust's page."""
        options = self.environment.parsed_options
        self.plan = Plan(options.rate, options.seconds, options.batch, options.patience)
        self.tally = getattr(options, "tally", None) or Tally()
        self.headers = {HEADER_API_KEY: f"load-{uuid.uuid4()}"}

    @task
    def run_plan(self) -> None:
        """Let all arrive, wait for all to end, and stop.

        Raises:
            StopUser: it is done.
        """
        journey = Journey(self, self.tally, time.monotonic, gevent.sleep, self.plan.patience_s)
        chance, group, begun_at = random.Random(), Group(), time.monotonic()  # noqa: S311 - made-up flowers
        for due_s in self.plan.due_s():
            due_at = begun_at + due_s
            gevent.sleep(max(0.0, due_at - time.monotonic()))
            group.spawn(self._arrive, journey, body(self.plan, chance), due_at)
        group.join()
        # On Locust's own page there is nobody to tell: the test ends there.
        finished = getattr(self.environment.parsed_options, "finished", None)
        gevent.spawn(finished or self.environment.runner.stop)
        raise StopUser

    def _arrive(self, journey: Journey, content: Mapping[str, object], due_at: float) -> None:
        journey(content, due_at)

    def submit(self, body: Mapping[str, object]) -> Answer:
        """Send one submit; a refusal is an answer, not a failure."""
        return self._ask("POST", "/predict", "POST /predict", json=body)

    def look(self, task_id: str, wait_s: int) -> Answer:
        """Ask for a result, and have the answer held back until it is there."""
        return self._ask("GET", f"/results/{task_id}?wait={wait_s}", FOLLOW)

    def _ask(self, method: str, path: str, name: str, **more: Any) -> Answer:  # noqa: ANN401 - as Locust takes it
        with self.client.request(
            method, path, name=name, headers=self.headers, catch_response=True, **more
        ) as response:
            retry_after = response.headers.get("Retry-After") if response.headers else None
            if response.status_code in (429, 503) and retry_after:
                response.success()
            try:
                # Without an answer there is nothing to read, and Locust's own reader would not bear it.
                content = response.json() if response.content else {}
            except ValueError:
                content = {}
            return Answer(response.status_code, content, float(retry_after) if retry_after else None)


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def add_settings(parser: Any) -> None:  # noqa: ANN401 - Locust's own parser
    """Put the plan's settings on the command line and on Locust's page."""
    parser.add_argument("--rate", type=float, default=20, help="Submits a second")
    parser.add_argument("--seconds", type=float, default=60, help="For how long they arrive")
    parser.add_argument("--batch", type=float, default=0.1, help="Share of submits with several rows")
    parser.add_argument("--patience", type=float, default=60, help="Seconds to wait for a job's end")
