"""Lists, cancels and requeues over a real Postgres: whose job it is, and what a race ends as."""

import threading
import uuid
from collections.abc import Iterator
from datetime import datetime

import pytest
from inference_api.job_changes import JobChanges
from inference_api.job_store import PAGE_BYTES, JobReader, JobWriter
from inference_api.paging import Position, Selection
from inference_api.postgres import Database
from inference_api.shedding import Limits
from inference_contract.job import JobStatus, ModelId, NewJob
from inference_contract.names import CHANNEL_FINISHED, REQUEUE_ATTEMPTS

from tests.integration.functions.conftest import ROOMY
from tests.integration.parts import Postgres, wait_until

pytestmark = pytest.mark.integration

ME, OTHER = "key:me", "address:192.0.2.1"
CLAIM = """
UPDATE predictions SET status = 'running', attempts = attempts + 1, started_at = now(), lease_until = now()
WHERE task_id = %s AND status = 'queued' RETURNING attempts
"""
FINISH = """
UPDATE predictions SET status = %s, prediction = %s, error = %s, finished_at = now(), lease_until = NULL
WHERE task_id = %s AND attempts = 1 AND status = 'running' RETURNING 1
"""
ANSWER = '[{"label": "x", "probabilities": {"x": 1.0}}]'
BLOCKED = "SELECT 1 FROM pg_locks WHERE NOT granted"
HALF = "80000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def empty_tables(postgres: Postgres) -> None:
    postgres.rows("DELETE FROM predictions")
    postgres.rows("DELETE FROM expired")


@pytest.fixture
def changes(database: Database) -> JobChanges:
    return JobChanges(database, ROOMY)


def submit(writer: JobWriter, caller: str = ME) -> str:
    return writer.store(
        NewJob(str(uuid.uuid4()), ModelId("iris", "1"), ((1.0, 2.0),), "request-1", caller)
    ).task_id


def failed(writer: JobWriter, postgres: Postgres, caller: str = ME) -> str:
    task_id = submit(writer, caller)
    postgres.rows(CLAIM, task_id)
    postgres.rows(FINISH, "failed", None, "gave up", task_id)
    return task_id


def walk(reader: JobReader, limit: int, **more: object) -> Iterator[list[str]]:
    """Read page after page, as cursors would."""
    after, going_on = None, True
    while going_on:
        page = reader.page(ME, Selection(limit=limit, after=after, **more))  # type: ignore[arg-type]
        yield [job.task_id for job in page.jobs]
        after = Position(page.jobs[-1].submitted_at, page.jobs[-1].task_id) if page.jobs else None
        going_on = page.more


def same_time(postgres: Postgres) -> None:
    """Give about half of the rows one time, so that their ids order them."""
    postgres.rows(
        "UPDATE predictions SET submitted_at = '2026-01-02 03:04:05.678901+00' WHERE task_id < %s", HALF
    )


def test_pages_join_to_the_callers_list_newest_first(
    writer: JobWriter, reader: JobReader, postgres: Postgres
) -> None:
    for _ in range(23):
        submit(writer)
        submit(writer, OTHER)
    same_time(postgres)
    sql = "SELECT task_id::text FROM predictions WHERE caller = %s ORDER BY submitted_at DESC, task_id DESC"
    expected = [task_id for (task_id,) in postgres.rows(sql, ME)]
    pages = list(walk(reader, 5))
    assert [task_id for page in pages for task_id in page] == expected
    assert [len(page) for page in pages] == [5, 5, 5, 5, 3]


def test_paging_is_stable_while_jobs_are_submitted(
    writer: JobWriter, reader: JobReader, postgres: Postgres
) -> None:
    before = {submit(writer) for _ in range(20)}
    same_time(postgres)
    seen: list[str] = []
    for page in walk(reader, 3):
        seen += page
        submit(writer)
    assert len(seen) == len(set(seen))
    assert set(seen) == before


def test_page_that_is_just_full_is_the_last(writer: JobWriter, reader: JobReader) -> None:
    for _ in range(4):
        submit(writer)
    assert [len(page) for page in walk(reader, 2)] == [2, 2]


def test_status_and_model_choose(writer: JobWriter, reader: JobReader, postgres: Postgres) -> None:
    ended, waiting = failed(writer, postgres), submit(writer)
    assert list(walk(reader, 9, status=JobStatus.FAILED)) == [[ended]]
    assert list(walk(reader, 9, status=JobStatus.QUEUED, model_name="iris")) == [[waiting]]
    assert list(walk(reader, 9, model_name="rose")) == [[]]


def test_page_of_large_answers_is_shorter_and_none_is_lost(
    writer: JobWriter, reader: JobReader, postgres: Postgres
) -> None:
    for _ in range(5):
        submit(writer)
    large = f'[{{"label": "{"x" * int(PAGE_BYTES * 0.45)}", "probabilities": {{}}}}]'
    sql = "UPDATE predictions SET status = 'succeeded', finished_at = now(), prediction = %s"
    postgres.rows(sql, large)
    pages = list(walk(reader, 100))
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({task_id for page in pages for task_id in page}) == 5


def test_job_is_its_callers_alone(
    writer: JobWriter, reader: JobReader, changes: JobChanges, postgres: Postgres
) -> None:
    waiting, ended = submit(writer, OTHER), failed(writer, postgres, OTHER)
    assert reader.find(waiting, ME) is None
    assert changes.cancel(waiting, ME) is None
    assert changes.requeue(ended, ME) is None
    assert reader.page(ME, Selection(limit=9)).jobs == ()
    sql = "SELECT status FROM predictions ORDER BY submitted_at"
    assert postgres.rows(sql) == [("queued",), ("failed",)]


def test_expired_job_is_told_to_its_caller_alone(reader: JobReader, postgres: Postgres) -> None:
    task_id = str(uuid.uuid4())
    postgres.rows("INSERT INTO expired (task_id, caller) VALUES (%s, %s)", task_id, ME)
    assert (reader.has_expired(task_id, ME), reader.has_expired(task_id, OTHER)) == (True, False)


def test_cancelled_job_is_told_to_those_who_wait(
    writer: JobWriter, changes: JobChanges, postgres: Postgres
) -> None:
    task_id = submit(writer)
    with postgres.listening(CHANNEL_FINISHED) as payloads:
        job = changes.cancel(task_id, ME)
        assert wait_until(payloads, timeout_s=5, what="the notice") == [task_id]
    assert job is not None
    assert (job.status, job.predictions) == (JobStatus.CANCELLED, None)
    assert isinstance(job.finished_at, datetime)
    assert changes.cancel(task_id, ME) is None


def test_running_job_is_cancelled_and_its_workers_result_is_refused(
    writer: JobWriter, changes: JobChanges, postgres: Postgres
) -> None:
    task_id = submit(writer)
    postgres.rows(CLAIM, task_id)
    assert changes.cancel(task_id, ME) is not None
    assert postgres.rows(FINISH, "succeeded", ANSWER, None, task_id) == []
    assert postgres.rows(CLAIM, task_id) == []
    sql = "SELECT to_status, who FROM transitions WHERE task_id = %s ORDER BY id"
    assert postgres.rows(sql, task_id)[-1] == ("cancelled", "tested")


def test_cancel_that_comes_while_a_result_is_written_changes_nothing(
    writer: JobWriter, reader: JobReader, changes: JobChanges, postgres: Postgres
) -> None:
    task_id = submit(writer)
    postgres.rows(CLAIM, task_id)
    postgres.rows("BEGIN")
    postgres.rows(FINISH, "succeeded", ANSWER, None, task_id)
    answers: list[object] = []
    cancelling = threading.Thread(target=lambda: answers.append(changes.cancel(task_id, ME)))
    cancelling.start()
    try:
        wait_until(lambda: postgres.rows(BLOCKED), timeout_s=1.5, what="the cancel to wait")
    finally:
        postgres.rows("COMMIT")
        cancelling.join()
    assert answers == [None]
    job = reader.find(task_id, ME)
    assert job is not None
    assert job.status is JobStatus.SUCCEEDED


def test_ended_job_is_never_cancelled(writer: JobWriter, changes: JobChanges, postgres: Postgres) -> None:
    assert changes.cancel(failed(writer, postgres), ME) is None


def test_requeued_job_starts_anew_with_further_attempts(
    writer: JobWriter, changes: JobChanges, postgres: Postgres
) -> None:
    task_id = failed(writer, postgres)
    writer.mark_sent(task_id)
    job = changes.requeue(task_id, ME)
    assert job is not None
    assert (job.status, job.attempts, job.error) == (JobStatus.QUEUED, 1, None)
    sql = "SELECT attempt_limit, sent_at, started_at, finished_at FROM predictions WHERE task_id = %s"
    assert postgres.rows(sql, task_id) == [(1 + REQUEUE_ATTEMPTS, None, None, None)]
    assert changes.requeue(task_id, ME) is None


def test_parallel_requeues_are_one(writer: JobWriter, postgres: Postgres) -> None:
    task_id = failed(writer, postgres)
    databases = [Database(postgres.dsn("functions_user"), "tested") for _ in range(8)]
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda one=one: answers.append(JobChanges(one, ROOMY).requeue(task_id, ME)))
        for one in databases
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in databases:
        database.close()
    assert len([answer for answer in answers if answer is not None]) == 1
    sql = "SELECT count(*) FROM transitions WHERE task_id = %s AND to_status = 'queued'"
    assert postgres.rows(sql, task_id) == [(2,)]


def test_requeue_needs_room(writer: JobWriter, database: Database, postgres: Postgres) -> None:
    task_id = failed(writer, postgres)
    submit(writer)
    full = JobChanges(database, Limits(of_caller=1, in_all=9))
    assert full.requeue(task_id, ME) is None
    load = full.load(ME)
    assert (load.of_caller, load.in_all) == (1, 1)
    assert load.finished_per_s == pytest.approx(1 / 60)
