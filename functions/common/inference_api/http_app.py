"""A Chalice app whose every answer, error or not, has the contract's form."""

import functools
import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from aws_lambda_powertools.metrics import MetricUnit
from chalice.app import Chalice, Request, Response

from inference_api import problems
from inference_api.observability import Next, Telemetry
from inference_api.request_id import request_id_of
from inference_contract.names import HEADER_REQUEST_ID

ANY_CONTENT_TYPE: Final = ("*/*",)
JSON_CONTENT_TYPE: Final = ("application/json",)

type View = Callable[..., Response]


def new_app(name: str, telemetry: Telemetry) -> Chalice:
    """Make an app that logs, measures, and answers every error as a problem document."""
    app = Chalice(app_name=name, configure_logs=False)
    app.register_middleware(functools.partial(_finish, telemetry), "http")
    app.register_middleware(telemetry.observe, "http")
    app.register_middleware(functools.partial(_record, telemetry), "http")
    return app


def add_route(  # noqa: PLR0913 - a route has as many parts
    app: Chalice,
    telemetry: Telemetry,
    method: str,
    path: str,
    view: View,
    *,
    any_content_type: bool = False,
) -> None:
    """Add a view; what it raises becomes a problem document by the table in `problems.py`.

    Args:
        app: the app that gets the route.
        telemetry: where an unexpected error is logged, with its traceback.
        method: HTTP method; only a POST is held to JSON.
        path: exactly as in template.yaml, since Chalice routes on it.
        view: takes the request, and the path's parameters by name.
        any_content_type: for a POST whose body says nothing.
    """

    @functools.wraps(view)
    def answer(**path_parameters: str) -> Response:
        request = app.current_request
        if request is None:
            raise RuntimeError("Chalice called a view outside of a request")
        try:
            return view(request, **path_parameters)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the caller gets a problem document
            _log_unexpected(telemetry, error)
            return problems.from_error(error, _path_of(request))

    content_types = JSON_CONTENT_TYPE if method == "POST" and not any_content_type else ANY_CONTENT_TYPE
    app.route(path, methods=[method], content_types=list(content_types))(answer)


def json_response(
    body: Mapping[str, object], status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with JSON; a number that is not finite is a fault of ours, never sent.

    Raises:
        ValueError: the body holds NaN or an infinity.
    """
    text = json.dumps(body, allow_nan=False)
    return Response(
        body=text, status_code=status.value, headers={"Content-Type": "application/json", **(headers or {})}
    )


def _finish(telemetry: Telemetry, request: Request | None, get_response: Next) -> Response:
    """Outermost: no exception and no answer in Chalice's own form leaves the function."""
    if request is None:
        return problems.from_status(HTTPStatus.BAD_REQUEST, "This is no request from API Gateway.", "")
    try:
        response = _as_problem(request, get_response(request))
    except Exception as error:  # noqa: BLE001 - the last place where it can become an answer
        _log_unexpected(telemetry, error)
        response = problems.from_error(error, _path_of(request))
    response.headers[HEADER_REQUEST_ID] = request_id_of(request)
    return response


def _record(telemetry: Telemetry, request: Request, get_response: Next) -> Response:
    """Innermost: one log line and two metrics a request, under the request's id."""
    telemetry.logger.set_correlation_id(request_id_of(request))
    started = time.perf_counter()
    response = get_response(request)
    elapsed_s = time.perf_counter() - started
    telemetry.metrics.add_dimension(name="route", value=request.path)
    telemetry.metrics.add_dimension(name="status", value=str(response.status_code))
    telemetry.count("http_requests_total")
    telemetry.metrics.add_metric(name="http_request_seconds", unit=MetricUnit.Seconds, value=elapsed_s)
    telemetry.logger.info(
        "request answered",
        extra={"route": request.path, "status": response.status_code, "elapsed_s": round(elapsed_s, 4)},
    )
    return response


def _as_problem(request: Request, response: Response) -> Response:
    if response.status_code < HTTPStatus.BAD_REQUEST or isinstance(response.body, str):
        return response
    path = _path_of(request)
    if response.headers.get("Allow") == "":  # not a single method: Chalice knows no such route
        return problems.from_status(HTTPStatus.NOT_FOUND, "There is no such path.", path)
    problem = problems.from_status(response.status_code, str(response.body.get("Message", "")), path)
    problem.headers.update(response.headers)
    problem.headers["Content-Type"] = problems.PROBLEM_JSON
    return problem


def _log_unexpected(telemetry: Telemetry, error: Exception) -> None:
    if problems.kind_of(error) is problems.UNEXPECTED:
        telemetry.logger.error("unexpected error", exc_info=error)


def _path_of(request: Request) -> str:
    return str(request.to_original_event().get("path") or request.path)
