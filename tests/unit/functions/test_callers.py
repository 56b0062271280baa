"""Who a caller is, and that nobody sees, cancels or queues another caller's job."""

import io

import pytest
from inference_contract.job import JobStatus

from tests.unit.functions.gateway import Answer, Predict, Results
from tests.unit.functions.jobs import FAILED, ID, QUEUED

ROW = '{"features": [1, 2, 3, 4]}'
KEY = "s3cret-key"


def caller_of(predict: Predict, **headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    assert predict.post(ROW, headers=named).status == 202
    return predict.jobs.stored[-1].caller


def test_key_is_a_caller_and_only_its_digest_is_kept(predict: Predict, log: io.StringIO) -> None:
    caller = caller_of(predict, X_Api_Key=KEY, X_Forwarded_For="192.0.2.7")
    assert caller.startswith("key:")
    assert len(caller) == len("key:") + 32
    assert KEY not in repr(predict.jobs.stored) + log.getvalue()
    assert caller_of(predict, x_api_key=f" {KEY} ") == caller
    assert caller_of(predict, x_api_key=KEY.upper()) != caller


@pytest.mark.parametrize("key", ["", " "])
def test_empty_key_is_no_key(predict: Predict, key: str) -> None:
    assert caller_of(predict, X_Api_Key=key, X_Forwarded_For="192.0.2.7") == "address:192.0.2.7"


def test_address_is_the_first_hop_that_our_own_nginx_wrote(predict: Predict) -> None:
    assert caller_of(predict, X_Forwarded_For="192.0.2.7, 127.0.0.1") == "address:192.0.2.7"
    assert caller_of(predict, X_Forwarded_For="2001:db8::1") == "address:2001:db8::1"


def test_forwarded_address_of_another_peer_is_not_believed(predict: Predict) -> None:
    predict.gateway.source_ip = "203.0.113.9"
    assert caller_of(predict, X_Forwarded_For="192.0.2.7") == "address:203.0.113.9"


def test_direct_caller_is_its_own_address(predict: Predict) -> None:
    assert caller_of(predict) == "address:127.0.0.1"


@pytest.mark.parametrize("odd", ["a b", "<x>", "ü", "1" * 99])
def test_what_is_no_address_is_unknown(predict: Predict, odd: str) -> None:
    assert caller_of(predict, X_Forwarded_For=odd) == "address:unknown"


def answers_to_a_stranger(results: Results, task_id: str) -> list[Answer]:
    stranger = {"X-Api-Key": "another"}
    call = results.gateway.call
    return [
        call("GET", "/results/{task_id}", task_id=task_id, headers=stranger),
        call("GET", "/results/{task_id}", task_id=task_id, headers=stranger, query={"wait": ["5"]}),
        results.cancel(task_id, stranger),
        results.requeue(task_id, stranger),
    ]


@pytest.mark.parametrize("job", [QUEUED, FAILED])
def test_anothers_job_is_404_exactly_as_an_unknown_one(results: Results, job: object) -> None:
    unknown = [(answer.status, answer.body) for answer in answers_to_a_stranger(results, ID)]
    results.jobs.jobs[ID] = QUEUED if job is QUEUED else FAILED
    results.jobs.callers[ID] = "key:of-somebody-else"
    anothers = [(answer.status, answer.body) for answer in answers_to_a_stranger(results, ID)]
    assert unknown == anothers
    assert {status for status, _ in anothers} == {404}
    assert results.jobs.jobs[ID].status in {JobStatus.QUEUED, JobStatus.FAILED}


def test_anothers_expired_job_is_404_and_ones_own_is_410(results: Results) -> None:
    results.jobs.expired[ID] = "key:of-somebody-else"
    assert {answer.status for answer in answers_to_a_stranger(results, ID)} == {404}
    results.jobs.expired[ID] = "address:127.0.0.1"
    own = [results.get(ID), results.get(ID, wait=["5"]), results.cancel(ID), results.requeue(ID)]
    assert {(answer.status, answer.body["type"]) for answer in own} == {
        (410, "urn:inference:problem:expired-task")
    }


def test_list_holds_ones_own_jobs_only(results: Results) -> None:
    results.jobs.jobs[ID] = QUEUED
    results.jobs.callers[ID] = "address:127.0.0.1"
    assert [item["task_id"] for item in results.page().body["items"]] == [ID]
    assert results.page({"X-Api-Key": "another"}).body == {"items": [], "next_cursor": None}
