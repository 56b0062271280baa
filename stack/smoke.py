"""The proof that `make up` ends with: one real flower through the front door and back."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import urllib3
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from stack.context import Context
from stack.errors import StackError

FLOWER = [5.1, 3.5, 1.4, 0.2]
SUBMIT_DEADLINE_S = 20
RESULT_DEADLINE_S = 30
CALL_TIMEOUT_S = 25
WAIT_S = 5
POLL_S = 0.3

_http = urllib3.PoolManager(retries=False, timeout=CALL_TIMEOUT_S)


class NotYetError(Exception):
    """The answer that is waited for has not come."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for the flower."""

    task_id: str
    label: str
    probability: float


def send_flower(context: Context) -> Answer:
    """Submit an Iris flower through Nginx and read its prediction back.

    Raises:
        StackError: it was not accepted, or did not end well in time.
    """
    base = f"http://127.0.0.1:{context.settings.http_port}"
    task_id = _until(SUBMIT_DEADLINE_S, lambda: _submit(base), context)
    job = _until(RESULT_DEADLINE_S, lambda: _result(base, task_id), context)
    if job["status"] != "succeeded":
        raise _smoke_error(context, f"the job ended as {job['status']}: {job['error']}")
    [prediction] = job["predictions"]
    label = prediction["label"]
    return Answer(task_id=task_id, label=label, probability=prediction["probabilities"][label])


def _submit(base: str) -> str:
    answer = _call("POST", f"{base}/predict", json.dumps({"features": FLOWER}))
    if answer.status != 202:  # noqa: PLR2004 - HTTP's own number
        raise NotYetError(f"POST /predict answers {answer.status}: {answer.data[:300].decode()}")
    task_id: str = answer.json()["task_id"]
    return task_id


def _result(base: str, task_id: str) -> dict[str, Any]:
    answer = _call("GET", f"{base}/results/{task_id}?wait={WAIT_S}")
    if answer.status != 200:  # noqa: PLR2004 - HTTP's own number
        raise NotYetError(f"GET /results/{task_id} answers {answer.status}")
    job: dict[str, Any] = answer.json()
    if job["status"] in ("queued", "running"):
        raise NotYetError(f"task {task_id} is still {job['status']}")
    return job


def _call(method: str, url: str, body: str | None = None) -> urllib3.BaseHTTPResponse:
    try:
        return _http.request(method, url, body=body, headers={"Content-Type": "application/json"})
    except urllib3.exceptions.HTTPError as error:
        raise NotYetError(f"{method} {url}: {error}") from error


def _until[T](deadline_s: float, call: Callable[[], T], context: Context) -> T:
    retrying = Retrying(
        stop=stop_after_delay(deadline_s), wait=wait_fixed(POLL_S), retry=retry_if_exception_type(NotYetError)
    )
    try:
        return retrying(call)
    except RetryError as error:
        raise _smoke_error(context, str(error.last_attempt.exception())) from error


def _smoke_error(context: Context, reason: str) -> StackError:
    return StackError(
        "first prediction",
        reason,
        way_out="make doctor says which part is not well; make logs shows what each part says",
        log=context.paths.log_of("functions"),
    )
