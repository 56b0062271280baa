"""`GET /results`: the caller's jobs, newest first, page by page."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from inference_contract.job import Job, JobStatus, ModelId

from tests.unit.functions.gateway import Results
from tests.unit.functions.jobs import QUEUED, SUCCEEDED, with_id


def keep(results: Results, *jobs: Job) -> list[str]:
    """Keep jobs and give their ids, newest first."""
    results.jobs.jobs |= {job.task_id: job for job in jobs}
    newest_first = sorted(jobs, key=lambda job: (job.submitted_at, job.task_id), reverse=True)
    return [job.task_id for job in newest_first]


def minute(number: int) -> Job:
    return replace(with_id(QUEUED, number), submitted_at=QUEUED.submitted_at + timedelta(minutes=number))


def ids(results: Results, **query: str) -> list[str]:
    return [item["task_id"] for item in results.page(**query).body["items"]]


def test_no_jobs_are_an_empty_page(results: Results) -> None:
    answer = results.page()
    assert (answer.status, answer.body) == (200, {"items": [], "next_cursor": None})


def test_items_are_jobs_as_a_lookup_answers_them(results: Results) -> None:
    keep(results, SUCCEEDED)
    assert results.page().body["items"] == [results.get(SUCCEEDED.task_id).body]


def test_twenty_are_a_page_where_nothing_is_said(results: Results) -> None:
    kept = keep(results, *(minute(number) for number in range(25)))
    assert ids(results) == kept[:20]


def test_pages_join_to_the_whole_list(results: Results) -> None:
    of_one_minute = (replace(minute(5), task_id=with_id(QUEUED, n).task_id) for n in range(10, 14))
    kept = keep(results, *(minute(number) for number in range(4)), *of_one_minute)
    seen: list[str] = []
    query = {"limit": "3"}
    while query:
        page = results.page(**query).body
        seen += [item["task_id"] for item in page["items"]]
        query = {"limit": "3", "cursor": page["next_cursor"]} if page["next_cursor"] else {}
    assert seen == kept


def test_job_submitted_between_two_pages_moves_nothing(results: Results) -> None:
    kept = keep(results, *(minute(number) for number in range(4)))
    first = results.page(limit="2").body
    keep(results, minute(10))
    assert ids(results, limit="2", cursor=first["next_cursor"]) == kept[2:]


def test_status_and_model_choose(results: Results) -> None:
    other = replace(with_id(QUEUED, 1), model=ModelId("rose", "1"))
    done = replace(SUCCEEDED, task_id=with_id(QUEUED, 2).task_id)
    keep(results, QUEUED, other, done)
    assert ids(results, model="rose") == [other.task_id]
    assert ids(results, status="succeeded") == [done.task_id]
    assert ids(results, status="succeeded", model="rose") == []


@pytest.mark.parametrize("status", JobStatus)
def test_each_state_can_be_asked_for(results: Results, status: JobStatus) -> None:
    assert results.page(status=status.value).status == 200


def shown(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "query",
    [
        *({"limit": value} for value in ("0", "101", "-1", "1.5", "", "٣", "007")),
        *({"status": value} for value in ("", "done", "QUEUED", "queued,failed")),
        *({"model": value} for value in ("", "../iris", "a\x00b", "m" * 65)),
        *({"cursor": value} for value in ("", "abc", "a b", "x" * 300, "_")),
        {"cursor": shown("2026-01-02T03:04:05.000000+00:00 no-uuid")},
        {"cursor": shown(f"2026-01-02T03:04:05.000000 {QUEUED.task_id}")},
        {"cursor": shown(f"0001-01-01T00:00:00.000000+00:00 {QUEUED.task_id}")},
        {"cursor": shown(f"0001-01-01T00:00:00.000000+23:59 {QUEUED.task_id}")},
        {"cursor": shown(f"9999-12-31T23:59:59.000000-23:59 {QUEUED.task_id}")},
        {"cursor": shown(f"2026-01-02T03:04:05+00:00 {QUEUED.task_id}")},
    ],
)
def test_bad_query_is_400_that_names_the_parameter(results: Results, query: dict[str, str]) -> None:
    answer = results.page(**query)
    assert (answer.status, answer.body["type"]) == (400, "urn:inference:problem:invalid-query")
    assert f"`{next(iter(query))}`" in answer.body["detail"]


def test_parameter_given_twice_is_400(results: Results) -> None:
    assert results.gateway.call("GET", "/results", query={"limit": ["1", "2"]}).status == 400


def test_dead_database_is_503(results: Results) -> None:
    results.jobs.down = True
    assert results.page().status == 503
