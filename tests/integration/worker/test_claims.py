"""What a claim reads: the batch that it takes, however much else is queued, and its numbers as they came."""

import json
from pathlib import Path

import inference_worker
import psycopg2
import pytest
from inference_worker.database import Database, read_statements
from inference_worker.postgres_store import ClaimLimits, PostgresJobStore
from inference_worker.worker_pool import WorkerPool

from tests.integration.worker.conftest import Stack

pytestmark = pytest.mark.integration

STATEMENTS = read_statements(Path(inference_worker.__file__).with_name("queries.sql"))
JOBS = 300
ROWS = 1000
BLOCKS_OF_ALL = 8 * JOBS
"""Such a job's features are stored out of line, in ten blocks or so."""
QUEUE = """
INSERT INTO predictions (task_id, model_name, model_version, features, submitted_at)
SELECT gen_random_uuid(), 'hostile', '1', %s, now() - make_interval(secs => number)
FROM generate_series(1, %s) AS number RETURNING task_id::text
"""


def blocks_read(stack: Stack, task_id: str) -> int:
    """Claim as a worker does, and count the blocks that the server looked at."""
    limits = {"mates": 31, "rows_max": 4 * ROWS, "lease_s": 10, "worker": "w/1", "pool": "w", "processes": 1}
    with psycopg2.connect(stack.postgres.dsn("worker_user")) as connection, connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {STATEMENTS['claim']}", {"task_id": task_id, **limits}
        )
        [([explained],)] = cursor.fetchall()
    connection.close()
    return int(explained["Plan"]["Shared Hit Blocks"] + explained["Plan"]["Shared Read Blocks"])


def test_claim_opens_no_features_but_those_of_its_batch(stack: Stack) -> None:
    features = json.dumps([[number / 7, number / 11, number / 13, number / 17] for number in range(ROWS)])
    *_, (oldest,) = stack.postgres.rows(QUEUE, features, JOBS)
    assert blocks_read(stack, str(oldest)) < BLOCKS_OF_ALL / 3
    claimed = stack.postgres.rows("SELECT count(*) FROM predictions WHERE status = 'running'")
    assert claimed == [(4,)]


def test_numbers_are_claimed_as_the_floats_that_were_submitted(stack: Stack) -> None:
    row = (1e16, 1.7976931348623157e308, 5e-324, 0.1)
    database = Database(stack.postgres.dsn("worker_user"), STATEMENTS, application="tested", timeout_ms=2000)
    limits = ClaimLimits(32, 4096, lease_s=10, slow_for_s=60, patience_s=0.25, max_attempts=3)
    claim = PostgresJobStore(database, database, WorkerPool(), limits).claim(
        stack.insert_rows(row, model="hostile")
    )
    database.close()
    assert claim is not None
    assert claim.jobs[0].features == (row,)
    assert {type(number) for number in claim.jobs[0].features[0]} == {float}
