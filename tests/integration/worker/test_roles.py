"""The migrations on an empty database, and that each role can do its own work and nothing else."""

import psycopg2.errors
import pytest

from tests.integration.worker.conftest import Stack, migrate

pytestmark = pytest.mark.integration

SUBMIT = (
    "INSERT INTO predictions (task_id, model_name, model_version, features)"
    " VALUES (gen_random_uuid(), 'roles', '1', '[[1]]') RETURNING task_id"
)
REGISTER = (
    "INSERT INTO models (name, version, feature_names, classes, digest)"
    " VALUES ('roles', '1', '[]', '[]', '') ON CONFLICT DO NOTHING"
)


def test_migrations_are_applied_once(stack: Stack) -> None:
    migrate(stack.postgres)

    assert stack.postgres.rows("SELECT count(*) FROM alembic_version") == [(1,)]


def test_functions_may_submit_note_a_send_and_cancel(stack: Stack) -> None:
    stack.postgres.rows(REGISTER, role="worker_user")
    rows = stack.postgres.rows(SUBMIT, role="functions_user")

    assert len(rows) == 1
    stack.postgres.rows("UPDATE predictions SET sent_at = now() WHERE sent_at IS NULL", role="functions_user")
    stack.postgres.rows(
        "UPDATE predictions SET status = 'cancelled', finished_at = now()", role="functions_user"
    )
    stack.postgres.rows("SELECT * FROM predictions, models, workers", role="functions_user")
    assert stack.postgres.rows(
        "SELECT from_status, to_status FROM transitions ORDER BY id", role="functions_user"
    ) == [(None, "queued"), ("queued", "cancelled")]


@pytest.mark.parametrize("table", ["transitions", "job_totals"])
def test_temporary_table_gets_in_nobodys_way(stack: Stack, table: str) -> None:
    """Were it written to, its triggers would run with the rights of the schema's owner."""
    stack.postgres.rows(REGISTER, role="worker_user")
    shadow = f"CREATE TEMP TABLE {table} AS SELECT * FROM {table} WHERE false"  # noqa: S608 - one of two
    stack.postgres.rows(shadow, role="functions_user")
    try:
        stack.postgres.rows(f"GRANT ALL ON pg_temp.{table} TO PUBLIC", role="functions_user")
        stack.postgres.rows(SUBMIT, role="functions_user")
        written = stack.postgres.rows(f"SELECT count(*) FROM public.{table}")  # noqa: S608 - one of two
    finally:
        stack.postgres.rows(f"DROP TABLE pg_temp.{table}", role="functions_user")

    assert written == [(1,)]


def test_ended_job_becomes_nothing_else(stack: Stack) -> None:
    stack.postgres.rows(REGISTER, role="worker_user")
    stack.postgres.rows(SUBMIT, role="functions_user")
    stack.postgres.rows("UPDATE predictions SET status = 'cancelled', finished_at = now()")

    with pytest.raises(psycopg2.errors.RaiseException, match="has ended as cancelled"):
        stack.postgres.rows("UPDATE predictions SET status = 'queued', finished_at = NULL")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE predictions SET caller = 'another'",
        "UPDATE predictions SET features = '[[2]]'",
        "UPDATE predictions SET attempts = 0",
        "DELETE FROM predictions",
        "INSERT INTO transitions (task_id, to_status, attempt, who) VALUES (gen_random_uuid(), 'x', 1, 'x')",
        "UPDATE transitions SET who = 'nobody'",
        "DELETE FROM transitions",
        "INSERT INTO expired (task_id, caller) VALUES (gen_random_uuid(), 'x')",
        "DELETE FROM expired",
        "TRUNCATE predictions",
        "UPDATE models SET digest = ''",
        "INSERT INTO workers (name) VALUES ('false')",
        "CREATE TABLE mine (id integer)",
        "UPDATE alembic_version SET version_num = '0000'",
    ],
)
def test_functions_may_do_nothing_else(stack: Stack, statement: str) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        stack.postgres.rows(statement, role="functions_user")


@pytest.mark.parametrize(
    "statement",
    [
        SUBMIT,
        "INSERT INTO transitions (task_id, to_status, attempt, who) VALUES (gen_random_uuid(), 'x', 1, 'x')",
        "UPDATE transitions SET who = 'nobody'",
        "DELETE FROM transitions",
        "UPDATE job_totals SET total = 0",
        "UPDATE expired SET caller = 'another'",
        "DELETE FROM models",
        "DROP TABLE predictions",
        "CREATE TABLE mine (id integer)",
    ],
)
def test_worker_may_not_submit_define_or_rewrite_the_story(stack: Stack, statement: str) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        stack.postgres.rows(statement, role="worker_user")


@pytest.mark.parametrize(
    "statement",
    [
        REGISTER,
        "UPDATE predictions SET sent_at = now()",
        "DELETE FROM workers",
        "CREATE TABLE mine (id integer)",
    ],
)
def test_reader_may_not_write(stack: Stack, statement: str) -> None:
    stack.postgres.rows("SELECT * FROM predictions, models, workers", role="readonly_user")

    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        stack.postgres.rows(statement, role="readonly_user")


def test_exporter_sees_counts_and_ages_but_no_features(stack: Stack) -> None:
    stack.postgres.rows("SELECT * FROM job_totals, models, workers, worker_ends", role="exporter_user")
    stack.postgres.rows("SELECT status, submitted_at, sent_at FROM predictions", role="exporter_user")

    for hidden in ("features", "prediction", "caller"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            stack.postgres.rows(f"SELECT {hidden} FROM predictions", role="exporter_user")  # noqa: S608


@pytest.mark.parametrize("features", ["{}", "7", "[1]", '[["a"]]', "[[null]]", "[[[1]]]", "[[1], {}]"])
def test_features_that_would_break_a_claim_never_become_a_row(stack: Stack, features: str) -> None:
    stack.postgres.rows(REGISTER, role="worker_user")

    with pytest.raises(psycopg2.DatabaseError, match=r"features_are_rows_of_numbers|jsonpath"):
        stack.postgres.rows(SUBMIT.replace("[[1]]", features), role="functions_user")


def test_job_of_an_unknown_model_is_refused_by_the_database(stack: Stack) -> None:
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        stack.insert(1.0, model="nobody")
