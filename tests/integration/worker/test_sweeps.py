"""Sweeps and retention on real rows, alone and two at a time."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta

import pytest
from inference_worker.celery_app import STATEMENTS
from inference_worker.database import Database, read_statements
from inference_worker.postgres_retention_store import PostgresRetentionStore
from inference_worker.postgres_sweep_store import SLOW_ROWS, PostgresSweepStore, SweepLimits
from inference_worker.retention import Retention
from inference_worker.sweeper import Sweep
from inference_worker.testing import FakeBroker

from tests.integration.parts import wait_until
from tests.integration.worker.conftest import DONE_S, Stack

pytestmark = pytest.mark.integration

ROWS = 300
LIMITS = SweepLimits(max_attempts=3, resend_after_s=15.0, send_grace_s=0.0, rows=1000)


@pytest.fixture
def databases(stack: Stack) -> Iterator[list[Database]]:
    dsn = stack.postgres.dsn("worker_user")
    with ExitStack() as closed:
        yield [
            closed.enter_context(
                closing(Database(dsn, read_statements(STATEMENTS), application="sweeper", timeout_ms=10_000))
            )
            for _ in range(2)
        ]


def lapse(stack: Stack, *, attempts: int, limit: int | None = None) -> str:
    task_id = stack.insert(1.0)
    stack.postgres.rows(
        "UPDATE predictions SET status = 'running', attempts = %s, attempt_limit = %s, lease_until = now()"
        " WHERE task_id = %s",
        attempts,
        limit,
        task_id,
    )
    return task_id


def end(stack: Stack, *, days_ago: float) -> str:
    task_id = stack.insert(1.0)
    stack.postgres.rows(
        "UPDATE predictions SET status = 'failed', finished_at = now() - make_interval(secs => %s)"
        " WHERE task_id = %s",
        timedelta(days=days_ago).total_seconds(),
        task_id,
    )
    return task_id


def test_two_sweeps_at_once_share_the_rows_without_doing_any_twice(
    stack: Stack, databases: list[Database]
) -> None:
    lapsed = [lapse(stack, attempts=1) for _ in range(ROWS)]
    lapsed_for_good = [lapse(stack, attempts=3) for _ in range(ROWS)]
    unsent = [stack.insert(1.0) for _ in range(ROWS)]
    start = threading.Barrier(len(databases))
    brokers = [FakeBroker() for _ in databases]

    def sweep(database: Database, broker: FakeBroker) -> None:
        start.wait()
        Sweep(PostgresSweepStore(database, LIMITS), broker, LIMITS.rows)()

    threads = [threading.Thread(target=sweep, args=pair) for pair in zip(databases, brokers, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    sent = Counter(wake_up.task_id for broker in brokers for wake_up in broker.sent)
    assert set(sent) <= {*lapsed, *unsent}
    assert set(unsent) <= set(sent)
    assert set(sent.values()) == {1}
    ends = stack.postgres.rows("SELECT task_id::text FROM transitions WHERE to_status = 'failed'")
    assert sorted(lapsed_for_good) == sorted(str(task_id) for (task_id,) in ends)
    again = stack.postgres.rows(
        "SELECT task_id::text FROM transitions WHERE from_status = 'running' AND to_status = 'queued'"
    )
    assert sorted(lapsed) == sorted(str(task_id) for (task_id,) in again)


@pytest.mark.parametrize("slow_until", ["infinity", None])
def test_slow_model_is_woken_up_a_little_at_a_time_and_keeps_nobody_else_waiting(
    stack: Stack, databases: list[Database], slow_until: str | None
) -> None:
    stack.postgres.rows("UPDATE models SET slow_until = %s WHERE name = 'hostile'", slow_until)
    slow = {stack.insert(1.0) for _ in range(2 * SLOW_ROWS)}
    quick = {stack.insert(1.0, model="neighbour") for _ in range(2 * SLOW_ROWS)}
    sweep = PostgresSweepStore(databases[0], LIMITS)

    first, second = sweep.due(LIMITS.rows), sweep.due(LIMITS.rows)

    sent = Counter(wake_up.task_id for wake_up in (*first, *second))
    assert (len(first), len(second)) == (SLOW_ROWS + len(quick), SLOW_ROWS)
    assert sent == Counter(slow | quick)


@pytest.mark.parametrize(
    ("attempts", "limit", "status"), [(3, 5, "queued"), (5, 5, "failed"), (1, 1, "failed")]
)
def test_limit_of_a_row_goes_over_the_workers(
    stack: Stack, databases: list[Database], attempts: int, limit: int, status: str
) -> None:
    task_id = lapse(stack, attempts=attempts, limit=limit)

    Sweep(PostgresSweepStore(databases[0], LIMITS), FakeBroker(), LIMITS.rows)()

    assert stack.job(task_id)["status"] == status
    assert stack.story(task_id)[-1] == (status, attempts, "sweeper")


def test_old_results_expire_and_leave_their_ids(stack: Stack, databases: list[Database]) -> None:
    old, young, still_open = end(stack, days_ago=31), end(stack, days_ago=29), stack.insert(1.0)
    stack.postgres.rows("UPDATE predictions SET submitted_at = now() - interval '90 days'")

    assert Retention(PostgresRetentionStore(databases[0], timedelta(days=30)))() == 1

    kept = {str(task_id) for (task_id,) in stack.postgres.rows("SELECT task_id::text FROM predictions")}
    assert kept == {young, still_open}
    assert stack.postgres.rows("SELECT task_id::text, caller FROM expired") == [(old, "unknown")]
    assert stack.story(old) == []


def test_beat_expires_results_on_its_own(stack: Stack) -> None:
    stack.worker(RETENTION_DAYS="0.5")
    stack.beat(RETENTION_EVERY_S="0.5")
    old = end(stack, days_ago=1)

    expired = wait_until(
        lambda: stack.postgres.rows("SELECT task_id::text FROM expired"), timeout_s=DONE_S, what="the expiry"
    )

    assert expired == [(old,)]


def test_tombstones_are_kept_for_a_year(stack: Stack, databases: list[Database]) -> None:
    stack.postgres.rows(
        "INSERT INTO expired (task_id, caller, expired_at)"
        " SELECT gen_random_uuid(), 'old', now() - make_interval(days => age)"
        " FROM unnest(ARRAY[364, 366]) AS age"
    )

    Retention(PostgresRetentionStore(databases[0], timedelta(days=30)))()

    assert stack.postgres.rows("SELECT count(*) FROM expired") == [(1,)]
