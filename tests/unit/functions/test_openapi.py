"""The published contract: valid, of the template's paths, and true of what the functions answer."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode  # type: ignore[import-untyped]  # it ships no types
from inference_contract.job import Job, JobStatus
from inference_contract.names import MAX_INSTANCES, MAX_WAIT_S, MODEL_NAME, PAGE_DEFAULT, PAGE_MAX
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # as above
from openapi_spec_validator import validate
from openapi_spec_validator.readers import read_from_filename

from tests.unit.functions.gateway import Answer, Predict, Results
from tests.unit.functions.jobs import FAILED, ID, QUEUED, SUCCEEDED

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    return dict(read_from_filename(str(ROOT / "openapi.yaml"))[0])


def assert_as_published(contract: dict[str, Any], route: str, answer: Answer) -> None:
    """Check an answer against the schema of its route, status and content type."""
    method, path = route.split()
    published = contract["paths"][path][method.lower()]["responses"][str(answer.status)]
    if "$ref" in published:
        published = contract["components"]["responses"][published["$ref"].rpartition("/")[2]]
    schema = published["content"][answer.headers["Content-Type"]]["schema"]
    Draft202012Validator({**schema, "components": contract["components"]}).validate(answer.body)


def test_contract_is_valid(contract: dict[str, Any]) -> None:
    validate(contract)


def test_paths_equal_the_templates(contract: dict[str, Any]) -> None:
    template, _ = decode(str(ROOT / "template.yaml"))
    functions = [
        made for made in template["Resources"].values() if made["Type"] == "AWS::Serverless::Function"
    ]
    events = [event["Properties"] for made in functions for event in made["Properties"]["Events"].values()]
    published = {(method, path) for path, methods in contract["paths"].items() for method in methods}
    assert published == {(event["Method"].lower(), event["Path"]) for event in events}


def test_limits_and_states_are_the_codes_own(contract: dict[str, Any]) -> None:
    schemas = contract["components"]["schemas"]
    assert schemas["Submission"]["properties"]["instances"]["maxItems"] == MAX_INSTANCES
    assert schemas["Job"]["properties"]["status"]["enum"] == list(JobStatus)
    _, wait = contract["paths"]["/results/{task_id}"]["get"]["parameters"]
    assert wait["schema"]["maximum"] == MAX_WAIT_S
    status, _, limit, _ = contract["paths"]["/results"]["get"]["parameters"]
    assert status["schema"]["enum"] == list(JobStatus)
    assert (limit["schema"]["default"], limit["schema"]["maximum"]) == (PAGE_DEFAULT, PAGE_MAX)
    assert schemas["Name"]["pattern"] == f"^{MODEL_NAME}$"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"features": [1, 2, 3, 4]}', 202),
        ("{", 400),
        (" " * 1_000_001, 413),
        ("[]", 422),
        ('{"features": [1, 2, 3, 4], "model": "rose"}', 422),
    ],
)
def test_submit_answers_as_published(
    contract: dict[str, Any], predict: Predict, body: str, status: int
) -> None:
    answer = predict.post(body)
    assert answer.status == status
    assert_as_published(contract, "POST /predict", answer)


def test_submit_answers_as_published_with_the_database_down(
    contract: dict[str, Any], predict: Predict
) -> None:
    predict.jobs.down = True
    assert_as_published(contract, "POST /predict", predict.post('{"features": [1, 2, 3, 4]}'))


@pytest.mark.parametrize("job", [QUEUED, SUCCEEDED, replace(QUEUED, error="tried once")])
def test_results_are_as_published(contract: dict[str, Any], results: Results, job: Job) -> None:
    results.jobs.jobs[ID] = job
    assert_as_published(contract, "GET /results/{task_id}", results.get(ID))


def test_unknown_task_is_as_published(contract: dict[str, Any], results: Results) -> None:
    assert_as_published(contract, "GET /results/{task_id}", results.get(ID))


@pytest.mark.parametrize("down", [False, True])
def test_health_and_readiness_are_as_published(
    contract: dict[str, Any], results: Results, *, down: bool
) -> None:
    results.broker.down = down
    for path in ("/health", "/ready"):
        assert_as_published(contract, f"GET {path}", results.gateway.call("GET", path))


@pytest.mark.parametrize("job", [QUEUED, SUCCEEDED, FAILED, None])
def test_changes_answer_as_published(contract: dict[str, Any], results: Results, job: Job | None) -> None:
    if job is not None:
        results.jobs.jobs[ID] = job
    assert_as_published(contract, "POST /results/{task_id}/requeue", results.requeue(ID))
    assert_as_published(contract, "DELETE /results/{task_id}", results.cancel(ID))


def test_expired_task_is_as_published(contract: dict[str, Any], results: Results) -> None:
    results.jobs.expired[ID] = "address:127.0.0.1"
    assert_as_published(contract, "GET /results/{task_id}", results.get(ID))
    assert_as_published(contract, "DELETE /results/{task_id}", results.cancel(ID))


def test_list_is_as_published(contract: dict[str, Any], results: Results) -> None:
    results.jobs.jobs[ID] = SUCCEEDED
    assert_as_published(contract, "GET /results", results.page())
    assert_as_published(contract, "GET /results", results.page(limit="0"))


def test_refusal_is_as_published(contract: dict[str, Any], predict: Predict) -> None:
    answers = [predict.post('{"features": [1, 2, 3, 4]}') for _ in range(4)]
    assert answers[-1].status == 429
    assert_as_published(contract, "POST /predict", answers[-1])
