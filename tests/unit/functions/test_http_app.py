"""What holds for every route: unexpected errors, telemetry that fails, logs, and events of no gateway."""

import io
import json
from typing import Any

import pytest
from chalice.app import Chalice, Request, Response
from inference_api.errors import ApiError
from inference_api.http_app import add_route, json_response, new_app
from inference_api.observability import Telemetry
from inference_api.problems import from_error

from tests.unit.functions.gateway import Predict, Results


@pytest.fixture
def secret_view(telemetry: Telemetry) -> Chalice:
    def view(_: Request) -> Response:
        raise KeyError("s3cret")

    app = new_app("broken", telemetry)
    add_route(app, telemetry, "GET", "/broken", view)
    return app


def event(path: str = "/broken") -> dict[str, Any]:
    context = {"resourcePath": path, "httpMethod": "GET", "requestId": "gateway-request"}
    empty = ("multiValueQueryStringParameters", "pathParameters", "stageVariables", "body")
    return {"headers": None, "path": path, "requestContext": context, **dict.fromkeys(empty)}


def log_lines(log: io.StringIO, message: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line.get("message") == message]


def test_unexpected_error_is_500_without_its_text(
    secret_view: Chalice, predict: Predict, log: io.StringIO
) -> None:
    answer = secret_view(event(), predict.gateway.context)
    assert (answer["statusCode"], answer["headers"]["X-Request-Id"]) == (500, "gateway-request")
    assert "s3cret" not in answer["body"]
    (line,) = log_lines(log, "unexpected error")
    assert "s3cret" in line["exception"]
    assert line["correlation_id"] == "gateway-request"


def test_unknown_route_is_404(secret_view: Chalice, predict: Predict) -> None:
    answer = secret_view(event("/nowhere"), predict.gateway.context)
    assert (answer["statusCode"], json.loads(answer["body"])["instance"]) == (404, "/nowhere")
    assert "Allow" not in answer["headers"]


def test_event_of_no_gateway_is_400(secret_view: Chalice, predict: Predict) -> None:
    assert secret_view({"hello": "world"}, predict.gateway.context)["statusCode"] == 400


def test_answer_stands_when_telemetry_fails(predict: Predict, telemetry: Telemetry) -> None:
    telemetry.metrics.provider.namespace = ""  # the flush at the end refuses that
    answer = predict.post('{"features": [1, 2, 3, 4]}')
    assert answer.status == 202
    assert len(predict.jobs.stored) == 1


def test_each_request_is_one_log_line_under_its_id(predict: Predict, log: io.StringIO) -> None:
    task_id = predict.post('{"features": [1, 2, 3, 4]}', headers={"X-Request-Id": "shop-42"}).body["task_id"]
    predict.gateway.call("GET", "/predict")
    first, second = log_lines(log, "request answered")
    assert (first["correlation_id"], first["task_id"], first["status"]) == ("shop-42", task_id, 202)
    assert first["model"] == "iris"
    assert (second["correlation_id"], second["status"]) == ("gateway-request", 405)
    assert "task_id" not in second


def test_metrics_count_requests_by_route_and_status(
    results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    results.gateway.call("GET", "/health")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (metrics,) = [line for line in lines if "http_requests_total" in line]
    assert (metrics["route"], metrics["status"], metrics["http_requests_total"]) == ("/health", "200", [1.0])


def test_number_that_is_not_finite_is_never_sent() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_response({"probability": float("nan")})


def test_error_without_a_row_in_the_table_is_500() -> None:
    assert from_error(ApiError("odd"), "/").status_code == 500


def test_app_of_chalice_is_the_handler(secret_view: Chalice) -> None:
    assert isinstance(secret_view, Chalice)
