"""The job store and the registry over a real Postgres: what they write, and what a fault costs."""

import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from inference_api.errors import DatabaseUnavailableError
from inference_api.job_store import MARK_BUDGET_S, JobReader, JobWriter
from inference_api.postgres import BUDGET_S, Database
from inference_api.registry import ModelRegistry, WorkerHeartbeats
from inference_contract.job import JobStatus, Model, ModelId, NewJob, Prediction
from inference_contract.names import CHANNEL_FINISHED

from tests.integration.parts import Postgres, free_port

pytestmark = pytest.mark.integration

CALLER = "address:192.0.2.1"
SLACK_S = 0.9
SUCCEED = """
WITH done AS (
    UPDATE predictions SET status = 'succeeded', attempts = 1, finished_at = now(),
           prediction = '[{"label": "x", "probabilities": {"x": 1.0}}]'
    WHERE task_id = %s RETURNING task_id::text
)
SELECT pg_notify(%s, task_id) FROM done
"""


def new_job() -> NewJob:
    return NewJob(str(uuid.uuid4()), ModelId("iris", "1"), ((1.5, -2.25), (0.0, 3.0)), "request-1", CALLER)


@contextmanager
def takes_at_most(limit_s: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < limit_s


def test_stored_job_is_queued_and_unsent(writer: JobWriter, postgres: Postgres) -> None:
    job = new_job()
    writer.store(job)
    sql = "SELECT status, sent_at, features, correlation_id, attempts FROM predictions WHERE task_id = %s"
    assert postgres.rows(sql, job.task_id) == [("queued", None, [[1.5, -2.25], [0.0, 3.0]], "request-1", 0)]


def test_storing_twice_is_one_row(writer: JobWriter, postgres: Postgres) -> None:
    job = new_job()
    writer.store(job)
    writer.store(job)
    assert postgres.rows("SELECT count(*) FROM predictions WHERE task_id = %s", job.task_id) == [(1,)]


def test_sent_job_has_the_databases_time(writer: JobWriter, postgres: Postgres) -> None:
    job = new_job()
    writer.store(job)
    writer.mark_sent(job.task_id)
    sql = "SELECT sent_at BETWEEN submitted_at AND clock_timestamp() FROM predictions WHERE task_id = %s"
    assert postgres.rows(sql, job.task_id) == [(True,)]


def test_marking_sent_does_not_wait_for_the_disk_and_storing_does(
    writer: JobWriter, database: Database
) -> None:
    writer.mark_sent(new_job().task_id)
    assert database.rows("SHOW synchronous_commit") == [("on",)]


def test_job_is_read_as_it_is(writer: JobWriter, reader: JobReader, postgres: Postgres) -> None:
    job = new_job()
    assert reader.find(job.task_id, CALLER) is None
    writer.store(job)
    queued = reader.find(job.task_id, CALLER)
    assert queued is not None
    assert (queued.task_id, queued.status, queued.predictions) == (job.task_id, JobStatus.QUEUED, None)
    assert queued.submitted_at.tzinfo is not None
    postgres.rows(SUCCEED, job.task_id, CHANNEL_FINISHED)
    ended = reader.find(job.task_id, CALLER)
    assert ended is not None
    assert (ended.status, ended.predictions) == (JobStatus.SUCCEEDED, (Prediction("x", {"x": 1.0}),))


def test_end_is_heard_of_while_waiting(writer: JobWriter, reader: JobReader, postgres: Postgres) -> None:
    job, other = new_job(), new_job()
    writer.store(job)
    writer.store(other)

    def end_both() -> None:
        postgres.rows(SUCCEED, other.task_id, CHANNEL_FINISHED)
        postgres.rows(SUCCEED, job.task_id, CHANNEL_FINISHED)

    with reader.listening(), takes_at_most(5.0):
        ending = threading.Timer(0.3, end_both)
        ending.start()
        reader.wait_for_end(job.task_id, 10.0)
        ended = reader.find(job.task_id, CALLER)
        ending.join()
    assert ended is not None
    assert ended.status is JobStatus.SUCCEEDED


def test_wait_ends_without_a_notice(reader: JobReader) -> None:
    with reader.listening(), takes_at_most(1.0):
        reader.wait_for_end(str(uuid.uuid4()), 0.2)


def test_nothing_is_heard_of_after_listening(reader: JobReader, database: Database) -> None:
    with reader.listening():
        assert database.rows("SELECT pg_listening_channels()") == [(CHANNEL_FINISHED,)]
    assert database.rows("SELECT pg_listening_channels()") == []


def test_connection_that_dies_while_waiting_ends_the_wait(reader: JobReader, postgres: Postgres) -> None:
    with reader.listening(), takes_at_most(5.0):
        ending = threading.Timer(0.3, postgres.end_connections_of, ["functions_user"])
        ending.start()
        reader.wait_for_end(str(uuid.uuid4()), 10.0)
        ending.join()
        assert reader.find(str(uuid.uuid4()), CALLER) is None


def test_dead_connection_is_replaced_silently(writer: JobWriter, postgres: Postgres) -> None:
    writer.store(new_job())
    postgres.end_connections_of("functions_user")
    writer.store(new_job())


def test_connection_stays_open_between_statements(database: Database) -> None:
    assert database.rows("SELECT pg_backend_pid()") == database.rows("SELECT pg_backend_pid()")


def test_server_that_has_stopped_answering_costs_the_budget_and_no_more(
    database: Database, writer: JobWriter
) -> None:
    ((backend,),) = database.rows("SELECT pg_backend_pid()")
    os.kill(backend, signal.SIGSTOP)
    try:
        with takes_at_most(BUDGET_S + SLACK_S), pytest.raises(DatabaseUnavailableError):
            writer.store(new_job())
    finally:
        os.kill(backend, signal.SIGCONT)
    writer.store(new_job())


def test_noting_a_send_is_given_up_earlier(writer: JobWriter, postgres: Postgres) -> None:
    job = new_job()
    writer.store(job)
    postgres.rows("BEGIN")
    postgres.rows("SELECT 1 FROM predictions WHERE task_id = %s FOR UPDATE", job.task_id)
    try:
        with takes_at_most(MARK_BUDGET_S + SLACK_S), pytest.raises(DatabaseUnavailableError):
            writer.mark_sent(job.task_id)
    finally:
        postgres.rows("ROLLBACK")


def test_locked_table_costs_the_budget_and_stores_nothing_later(
    writer: JobWriter, postgres: Postgres
) -> None:
    job = new_job()
    postgres.rows("BEGIN")
    postgres.rows("LOCK TABLE predictions IN ACCESS EXCLUSIVE MODE")
    try:
        with takes_at_most(BUDGET_S + SLACK_S), pytest.raises(DatabaseUnavailableError):
            writer.store(job)
    finally:
        postgres.rows("ROLLBACK")
    assert postgres.rows("SELECT count(*) FROM predictions WHERE task_id = %s", job.task_id) == [(0,)]


def test_no_server_is_told_at_once() -> None:
    nowhere = Database(f"postgresql://u@127.0.0.1:{free_port()}/d", "tested")
    with takes_at_most(SLACK_S), pytest.raises(DatabaseUnavailableError):
        nowhere.rows("SELECT 1")


def test_registry_lists_each_names_default_first(database: Database, postgres: Postgres) -> None:
    assert ModelRegistry(database).read() == (Model(ModelId("iris", "1"), ("a", "b"), ("x", "y")),)
    later = "INSERT INTO models SELECT name, '0', feature_names, classes, digest, NULL, now() FROM models"
    postgres.rows(later)
    try:
        assert [model.id.version for model in ModelRegistry(database).read()] == ["0", "1"]
    finally:
        postgres.rows("DELETE FROM models WHERE version = '0'")


def test_only_recent_heartbeats_count(database: Database, postgres: Postgres) -> None:
    postgres.rows("INSERT INTO workers (name) VALUES ('young')")
    postgres.rows("INSERT INTO workers (name, seen_at) VALUES ('old', now() - interval '16 s')")
    try:
        assert WorkerHeartbeats(database).count_live(15.0) == 1
    finally:
        postgres.rows("DELETE FROM workers")
