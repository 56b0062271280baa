"""`POST /predict`: the HTTP side of a submit."""

import math
import re
from http import HTTPStatus
from typing import Final

from chalice.app import Chalice, Request, Response

import json_body
import submission
from idempotency import idempotency_of
from inference_api.caller import caller_of
from inference_api.errors import BodyTooLargeError, MalformedBodyError
from inference_api.http_app import add_route, json_response
from inference_api.observability import Telemetry
from inference_api.request_id import request_id_of
from inference_contract.names import (
    HEADER_IDEMPOTENCY_KEY,
    HEADER_IDEMPOTENCY_REPLAYED,
    HEADER_RECEIVED_AT,
    MAX_BODY_BYTES,
)
from submit import Accepted, Asker, Submit

FIRST_LOOK_S: Final = 1
"""When a client may first ask for the result: an unloaded worker is done well before."""
ACCEPTED_WITHIN_S: Final = 1.4
"""Since Nginx has it: with the commit and the send, an accepted submit is answered within two seconds."""
RECEIVED_AT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)
MAX_BASE64_CHARACTERS: Final = 4 * (MAX_BODY_BYTES // 3 + 1)


def add_submit_routes(app: Chalice, telemetry: Telemetry, submit: Submit) -> None:
    """Add the predict function's only route."""

    def post_predict(request: Request) -> Response:
        asked = submission.read(json_body.parse(_body(request)))
        key = idempotency_of(request.headers.get(HEADER_IDEMPOTENCY_KEY), asked)
        accepted = submit(
            asked, Asker(caller_of(request), request_id_of(request), key, _patient_until(request))
        )
        _report(telemetry, accepted, asked.model_name)
        return _answer(accepted)

    add_route(app, telemetry, "POST", "/predict", post_predict)


def _patient_until(request: Request) -> float:
    """Count from when Nginx received the request; where none says so, as on AWS, nobody waited in it."""
    received_at = str(request.headers.get(HEADER_RECEIVED_AT, ""))
    return float(received_at) + ACCEPTED_WITHIN_S if RECEIVED_AT.fullmatch(received_at) else math.inf


def _answer(accepted: Accepted) -> Response:
    result_url = f"/results/{accepted.task_id}"
    replayed = {HEADER_IDEMPOTENCY_REPLAYED: "true"} if accepted.replayed else {}
    return json_response(
        {"task_id": accepted.task_id, "status": "Task submitted", "result_url": result_url},
        HTTPStatus.ACCEPTED,
        {"Location": result_url, "Retry-After": str(FIRST_LOOK_S), **replayed},
    )


def _report(telemetry: Telemetry, accepted: Accepted, model_name: str) -> None:
    telemetry.logger.append_keys(task_id=accepted.task_id, model=model_name)
    telemetry.count("submits_replayed_total" if accepted.replayed else "predictions_accepted_total")
    if accepted.unsent_reason is not None:
        telemetry.count("wakeups_failed_total")
        telemetry.logger.warning(
            "wake-up left to the sweeper", extra={"action": "send", "reason": accepted.unsent_reason}
        )


def _body(request: Request) -> bytes:
    """Take the body's bytes, also where API Gateway wrapped them in base64; the size is looked at first."""
    wrapped = request.to_original_event().get("body") or ""
    if len(wrapped) > MAX_BASE64_CHARACTERS:
        raise BodyTooLargeError(f"The body has more than {MAX_BODY_BYTES} bytes.")
    try:
        body = request.raw_body
    except ValueError as error:
        raise MalformedBodyError("The body is neither text nor valid base64.") from error
    return body.encode() if isinstance(body, str) else body
