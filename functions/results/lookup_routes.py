"""`GET /results/{task_id}`: the HTTP side of a lookup."""

import re
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

from chalice.app import Chalice, Request, Response

from inference_api.errors import InvalidQueryError, UnknownTaskError
from inference_api.http_app import add_route, json_response
from inference_api.observability import Telemetry
from inference_contract.job import Job
from inference_contract.names import MAX_WAIT_S
from lookup import Lookup

TASK_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
SECONDS: Final = re.compile(r"\d{1,2}(\.\d{1,3})?", re.ASCII)
MARGIN_S: Final = 3.0
"""Kept back from the function's own time: enough for one last statement that runs into its deadline."""
ASK_AGAIN_S: Final = 1


def add_lookup_routes(app: Chalice, telemetry: Telemetry, lookup: Lookup) -> None:
    """Add the route of a single result."""

    def get_result(request: Request, task_id: str) -> Response:
        wait_s = _wait_s(request)
        left_s = app.lambda_context.get_remaining_time_in_millis() / 1000 - MARGIN_S
        return _answer(lookup(_task_id(task_id), min(wait_s, left_s)))

    add_route(app, telemetry, "GET", "/results/{task_id}", get_result)


def _answer(job: Job) -> Response:
    body = {
        "task_id": job.task_id,
        "status": job.status.value,
        "model": asdict(job.model),
        "predictions": None if job.predictions is None else [asdict(answer) for answer in job.predictions],
        "error": job.error,
        "attempts": job.attempts,
        "submitted_at": _rfc3339(job.submitted_at),
        "started_at": _rfc3339(job.started_at),
        "finished_at": _rfc3339(job.finished_at),
    }
    return json_response(body, headers={} if job.status.is_final else {"Retry-After": str(ASK_AGAIN_S)})


def _rfc3339(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _task_id(given: str) -> str:
    if not TASK_ID.fullmatch(given.lower()):
        raise UnknownTaskError(
            f"{given!a:.60} is no task id; expected a UUID such as 0f8fad5b-d9cb-469f-a165-70867728950e."
        )
    return given.lower()


def _wait_s(request: Request) -> float:
    if request.query_params is None or "wait" not in request.query_params:
        return 0.0
    given = request.query_params.getlist("wait")
    if len(given) != 1 or not SECONDS.fullmatch(given[0]) or float(given[0]) > MAX_WAIT_S:
        raise InvalidQueryError(f"`wait` must be one number of seconds from 0 to {MAX_WAIT_S}.")
    return float(given[0])
