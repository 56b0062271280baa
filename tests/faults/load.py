"""An open-loop load: each submit goes out at its own time, whatever became of the one before."""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import urllib3

from tests.faults.pure_model import PURE, Action
from tests.faults.recorder import ACCEPTED, NO_ANSWER, Recorder, Submitted

TIMEOUT_S = 12.0
AT_ONCE_MAX = 128
CALLERS = ("alpha", "beta")
_values = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Client:
    """Submits over HTTP as any client would, never repeats, and records each answer."""

    base: str
    recorder: Recorder
    http: urllib3.PoolManager

    def submit(
        self,
        action: Action = Action.ANSWER,
        seconds: float = 0.0,
        *,
        model: str = PURE,
        caller: str = CALLERS[0],
        due_at: float | None = None,
    ) -> Submitted:
        """Submit a value that nobody submitted before; the latency counts from when it was due."""
        due_at = due_at or time.time()
        features = (float(next(_values)), float(action), seconds)
        body = json.dumps({"model": model, "features": features})
        headers = {"Content-Type": "application/json", "X-Api-Key": caller}
        try:
            answer = self.http.request("POST", f"{self.base}/predict", body=body, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            status, found = NO_ANSWER, {"text": f"{type(error).__name__}: {error}"}
        else:
            status = answer.status
            found = {
                "task_id": answer.json()["task_id"] if status == ACCEPTED else None,
                "retry_after": answer.headers.get("Retry-After"),
                "content_type": answer.headers.get("Content-Type"),
                "text": "" if status == ACCEPTED else answer.data.decode(errors="replace"),
            }
        submitted = Submitted(due_at, time.time() - due_at, status, caller, model, features, **found)
        self.recorder.add(submitted)
        return submitted


@contextmanager
def client_of(base: str) -> Iterator[Client]:
    """Open a client with a recorder of its own."""
    with urllib3.PoolManager(maxsize=AT_ONCE_MAX, retries=False, timeout=TIMEOUT_S) as http:
        yield Client(base, Recorder(), http)


@contextmanager
def steady_load(client: Client, rate_per_s: float) -> Iterator[None]:
    """Submit at a steady rate from two callers in turn; returns when every answer is there."""
    stop = threading.Event()
    with ThreadPoolExecutor(AT_ONCE_MAX, thread_name_prefix="load") as pool:

        def pace() -> None:
            begin = time.time()
            for number in itertools.count():
                due_at = begin + number / rate_per_s
                if stop.wait(max(0.0, due_at - time.time())):
                    return
                pool.submit(client.submit, caller=CALLERS[number % len(CALLERS)], due_at=due_at)

        pacer = threading.Thread(target=pace, name="pace", daemon=True)
        pacer.start()
        try:
            yield
        finally:
            stop.set()
            pacer.join()
