"""`DELETE /results/{task_id}` and `POST /results/{task_id}/requeue`: the HTTP side of changes."""

from http import HTTPStatus
from typing import Final

from chalice.app import Chalice, Request, Response

from change import Cancel, Requeue
from inference_api.caller import caller_of
from inference_api.http_app import add_route, json_response
from inference_api.observability import Telemetry
from inference_contract.job import Job
from job_json import members
from task_id import task_id_of

SWEEP_S: Final = 5
"""The wake-up of a requeued job is the sweeper's to send, which comes by this often (ADR 0002)."""


def add_change_routes(app: Chalice, telemetry: Telemetry, cancel: Cancel, requeue: Requeue) -> None:
    """Add both routes."""

    def delete_result(request: Request, task_id: str) -> Response:
        job = cancel(task_id_of(task_id), caller_of(request))
        _report(telemetry, job, "cancels_total")
        return json_response(members(job))

    def post_requeue(request: Request, task_id: str) -> Response:
        job = requeue(task_id_of(task_id), caller_of(request))
        _report(telemetry, job, "requeues_total")
        headers = {"Location": f"/results/{job.task_id}", "Retry-After": str(SWEEP_S)}
        return json_response(members(job), HTTPStatus.ACCEPTED, headers)

    add_route(app, telemetry, "DELETE", "/results/{task_id}", delete_result)
    add_route(app, telemetry, "POST", "/results/{task_id}/requeue", post_requeue, any_content_type=True)


def _report(telemetry: Telemetry, job: Job, counter: str) -> None:
    telemetry.logger.append_keys(task_id=job.task_id, model=job.model.name)
    telemetry.count(counter)
