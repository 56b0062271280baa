"""Submits over a real Postgres, many at once: one job a key, no more unfinished ones than may be."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

import pytest
from inference_api.intake import Intake, Verdict
from inference_api.job_store import JobWriter
from inference_api.postgres import Database
from inference_api.shedding import Limits
from inference_contract.job import Idempotency, ModelId, NewJob

from tests.integration.functions.conftest import ROOMY
from tests.integration.parts import Postgres

pytestmark = pytest.mark.integration

PARALLEL = 16
WAKE = "UPDATE predictions SET status = 'running', attempts = 1, lease_until = now() WHERE task_id = %s"
END = """
UPDATE predictions SET status = 'failed', lease_until = NULL, finished_at = now() - make_interval(secs => %s)
WHERE task_id = %s
"""


@pytest.fixture(autouse=True)
def empty_table(postgres: Postgres) -> None:
    postgres.rows("DELETE FROM predictions")


@contextmanager
def writers(postgres: Postgres, limits: Limits, count: int = PARALLEL) -> Iterator[list[JobWriter]]:
    databases = [Database(postgres.dsn("functions_user"), "tested") for _ in range(count)]
    try:
        yield [JobWriter(database, limits) for database in databases]
    finally:
        for database in databases:
            database.close()


def new_job(caller: str = "key:a", key: str | None = None, digest: str = "d") -> NewJob:
    idempotency = None if key is None else Idempotency(key, digest)
    return NewJob(str(uuid.uuid4()), ModelId("iris", "1"), ((1.0, 2.0),), "request-1", caller, idempotency)


def at_once(made: list[JobWriter], rounds: int, job: Callable[[], NewJob]) -> list[Intake]:
    """Let every writer submit `rounds` jobs, all of them starting together."""
    together = Barrier(len(made))

    def submit(writer: JobWriter) -> list[Intake]:
        together.wait(30)
        return [writer.store(job()) for _ in range(rounds)]

    with ThreadPoolExecutor(len(made)) as pool:
        return [intake for intakes in pool.map(submit, made) for intake in intakes]


def stored(postgres: Postgres) -> object:
    return postgres.rows("SELECT count(*) FROM predictions")[0][0]


def test_parallel_submits_with_one_key_are_one_job(postgres: Postgres) -> None:
    with writers(postgres, ROOMY) as made:
        intakes = at_once(made, 4, lambda: new_job(key="k"))
    assert len({intake.task_id for intake in intakes}) == 1
    assert Counter(intake.verdict for intake in intakes) == {
        Verdict.STORED: 1,
        Verdict.REPLAYED: 4 * PARALLEL - 1,
    }
    assert stored(postgres) == 1


def test_parallel_submits_with_one_key_and_two_bodies_store_one_of_them(postgres: Postgres) -> None:
    digests = iter("ab" * PARALLEL)
    with writers(postgres, ROOMY) as made:
        intakes = at_once(made, 1, lambda: new_job(key="k", digest=next(digests)))
    assert Counter(intake.verdict for intake in intakes) == {
        Verdict.STORED: 1,
        Verdict.REPLAYED: PARALLEL // 2 - 1,
        Verdict.KEY_REUSED: PARALLEL // 2,
    }


def test_key_is_the_callers_own(postgres: Postgres, writer: JobWriter) -> None:
    jobs = [new_job(caller, "k") for caller in ("key:a", "key:b")]
    assert [writer.store(job).verdict for job in jobs] == [Verdict.STORED] * 2
    sql = "SELECT caller, idempotency_key, request_digest FROM predictions ORDER BY caller"
    assert postgres.rows(sql) == [("key:a", "k", "d"), ("key:b", "k", "d")]


def test_key_holds_when_its_job_has_ended(postgres: Postgres, writer: JobWriter) -> None:
    task_id = writer.store(new_job(key="k")).task_id
    postgres.rows(END, 0, task_id)
    again = writer.store(new_job(key="k"))
    assert (again.verdict, again.task_id) == (Verdict.REPLAYED, task_id)


def test_statement_that_runs_again_finds_its_own_row(postgres: Postgres, writer: JobWriter) -> None:
    for job in (new_job(), new_job(key="k")):
        assert [writer.store(job).verdict for _ in range(2)] == [Verdict.STORED] * 2
    assert stored(postgres) == 2


def test_statement_that_runs_twice_at_once_is_one_row(postgres: Postgres) -> None:
    job = new_job()
    with writers(postgres, ROOMY) as made:
        intakes = at_once(made, 1, lambda: job)
    assert {(intake.verdict, intake.task_id) for intake in intakes} == {(Verdict.STORED, job.task_id)}
    assert stored(postgres) == 1


@pytest.mark.parametrize("limits", [Limits(of_caller=50, in_all=500), Limits(of_caller=500, in_all=50)])
def test_cap_holds_under_parallel_submits_but_for_those_in_flight(postgres: Postgres, limits: Limits) -> None:
    with writers(postgres, limits) as made:
        intakes = at_once(made, 20, new_job)
    accepted = Counter(intake.verdict for intake in intakes)[Verdict.STORED]
    assert accepted == stored(postgres)
    assert 50 <= accepted < 50 + PARALLEL
    refused = intakes[-1]
    assert refused.verdict is Verdict.FULL
    assert refused.load.of_caller >= limits.of_caller or refused.load.in_all >= limits.in_all


def test_full_caller_leaves_others_their_room(postgres: Postgres) -> None:
    with writers(postgres, Limits(of_caller=2, in_all=3), 1) as (writer,):
        verdicts = [writer.store(new_job(caller)).verdict for caller in "aaabb"]
    assert verdicts == [Verdict.STORED, Verdict.STORED, Verdict.FULL, Verdict.STORED, Verdict.FULL]


def test_running_jobs_count_and_ended_ones_make_room(postgres: Postgres) -> None:
    with writers(postgres, Limits(of_caller=1, in_all=9), 1) as (writer,):
        job = new_job()
        writer.store(job)
        postgres.rows(WAKE, job.task_id)
        assert writer.store(new_job()).verdict is Verdict.FULL
        postgres.rows(END, 0, job.task_id)
        assert writer.store(new_job()).verdict is Verdict.STORED


def test_key_is_replayed_and_held_to_its_body_where_there_is_no_room(postgres: Postgres) -> None:
    with writers(postgres, Limits(of_caller=1, in_all=1), 1) as (writer,):
        writer.store(new_job(key="k"))
        intakes = [writer.store(new_job(key=key, digest=digest)) for key, digest in ("kd", "ke", "nd")]
    assert [intake.verdict for intake in intakes] == [Verdict.REPLAYED, Verdict.KEY_REUSED, Verdict.FULL]


def test_refusal_knows_how_many_jobs_ended_in_the_last_minute(postgres: Postgres, writer: JobWriter) -> None:
    for age_s in (1, 30, 59, 61, 3600):
        job = new_job()
        writer.store(job)
        postgres.rows(END, age_s, job.task_id)
    writer.store(new_job())
    with writers(postgres, Limits(of_caller=1, in_all=9), 1) as (full,):
        assert full.store(new_job()).load.finished_per_s == pytest.approx(3 / 60)


def test_fast_drain_is_measured_over_its_newest_jobs(postgres: Postgres, writer: JobWriter) -> None:
    postgres.rows(
        "INSERT INTO predictions (task_id, model_name, model_version, features, status, finished_at)"
        " SELECT gen_random_uuid(), 'iris', '1', '[[1]]', 'failed', now() - make_interval(secs => n * 0.01)"
        " FROM generate_series(1, 2000) AS n"
    )
    writer.store(new_job())
    with writers(postgres, Limits(of_caller=1, in_all=9), 1) as (full,):
        assert full.store(new_job()).load.finished_per_s == pytest.approx(100, rel=0.2)
