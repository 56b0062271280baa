"""Every route through Chalice's own test client: its router and its content negotiation."""

import json

import pytest
from chalice.test import Client

from tests.unit.functions.gateway import Predict, Results

ROW = b'{"features": [5.1, 3.5, 1.4, 0.2]}'
UNKNOWN = "0f8fad5b-d9cb-469f-a165-70867728950e"
JSON = {"Content-Type": "application/json"}


def test_post_predict(predict: Predict) -> None:
    with Client(predict.gateway.app) as client:
        answer = client.http.post("/predict", headers=JSON, body=ROW)
    assert answer.status_code == 202
    assert answer.headers["Location"] == answer.json_body["result_url"]


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"[]", 422), (b" " * 1_000_001, 413)])
def test_post_predict_with_bad_input(predict: Predict, body: bytes, status: int) -> None:
    with Client(predict.gateway.app) as client:
        answer = client.http.post("/predict", headers=JSON, body=body)
    assert (answer.status_code, json.loads(answer.body)["status"]) == (status, status)


def test_post_predict_of_another_type(predict: Predict) -> None:
    with Client(predict.gateway.app) as client:
        answer = client.http.post("/predict", headers={"Content-Type": "text/plain"}, body=ROW)
    assert (answer.status_code, answer.headers["Content-Type"]) == (415, "application/problem+json")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/health", 200), ("/ready", 200), (f"/results/{UNKNOWN}", 404), (f"/results/{UNKNOWN}?wait=99", 400)],
)
def test_get(results: Results, path: str, status: int) -> None:
    with Client(results.gateway.app) as client:
        answer = client.http.get(path)
    assert answer.status_code == status
    assert answer.headers["X-Request-Id"]
