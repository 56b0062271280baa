"""`GET /results`: the HTTP side of a list."""

import re
from typing import Final

from chalice.app import Chalice, Request, Response

import cursor
from inference_api.caller import caller_of
from inference_api.http_app import add_route, json_response
from inference_api.observability import Telemetry
from inference_api.paging import Selection
from inference_contract.job import JobStatus
from inference_contract.names import MODEL_NAME, PAGE_DEFAULT, PAGE_MAX
from job_json import members
from list_jobs import ListJobs
from query import Parameters, parameter

STATUS: Final = re.compile("|".join(JobStatus), re.ASCII)
MODEL: Final = re.compile(MODEL_NAME, re.ASCII)
LIMIT: Final = re.compile(rf"[1-9]\d?|{PAGE_MAX}", re.ASCII)
CURSOR: Final = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)


def add_list_routes(app: Chalice, telemetry: Telemetry, list_jobs: ListJobs) -> None:
    """Add the route of many results."""

    def get_results(request: Request) -> Response:
        page, following = list_jobs(caller_of(request), _selection(request.query_params))
        next_cursor = None if following is None else cursor.encode(following)
        return json_response({"items": [members(job) for job in page.jobs], "next_cursor": next_cursor})

    add_route(app, telemetry, "GET", "/results", get_results)


def _selection(given: Parameters | None) -> Selection:
    status = parameter(given, "status", STATUS, f"one of {', '.join(JobStatus)}")
    limit = parameter(given, "limit", LIMIT, f"a number from 1 to {PAGE_MAX}")
    after = parameter(given, "cursor", CURSOR, "a `next_cursor` as it was given")
    return Selection(
        limit=PAGE_DEFAULT if limit is None else int(limit),
        status=None if status is None else JobStatus(status),
        model_name=parameter(given, "model", MODEL, "a model's name"),
        after=None if after is None else cursor.decode(after),
    )
