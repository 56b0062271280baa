"""`GET /results/{task_id}`: the HTTP side of a lookup."""

import re
from typing import Final

from chalice.app import Chalice, Request, Response

from inference_api.caller import caller_of
from inference_api.errors import InvalidQueryError
from inference_api.http_app import add_route, json_response
from inference_api.observability import Telemetry
from inference_contract.names import MAX_WAIT_S
from job_json import members
from lookup import Lookup
from query import parameter
from task_id import task_id_of

SECONDS: Final = re.compile(r"\d{1,2}(\.\d{1,3})?", re.ASCII)
EXPECTED: Final = f"one number of seconds from 0 to {MAX_WAIT_S}"
MARGIN_S: Final = 3.0
"""Kept back from the function's own time: enough for one last statement that runs into its deadline."""
ASK_AGAIN_S: Final = 1


def add_lookup_routes(app: Chalice, telemetry: Telemetry, lookup: Lookup) -> None:
    """Add the route of a single result."""

    def get_result(request: Request, task_id: str) -> Response:
        wait_s = _wait_s(request)
        left_s = app.lambda_context.get_remaining_time_in_millis() / 1000 - MARGIN_S
        asked = task_id_of(task_id)
        # Before the lookup: also a job that is not found is looked for in the logs.
        telemetry.logger.append_keys(task_id=asked)
        job = lookup(asked, caller_of(request), min(wait_s, left_s))
        telemetry.logger.append_keys(model=job.model.name)
        again = {} if job.status.is_final else {"Retry-After": str(ASK_AGAIN_S)}
        return json_response(members(job), headers=again)

    add_route(app, telemetry, "GET", "/results/{task_id}", get_result)


def _wait_s(request: Request) -> float:
    wait_s = float(parameter(request.query_params, "wait", SECONDS, EXPECTED) or 0)
    if wait_s > MAX_WAIT_S:
        raise InvalidQueryError(f"`wait` must be {EXPECTED}.")
    return wait_s
