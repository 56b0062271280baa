"""Passwords reach parts by environment or closed files: every user of a machine can read commands."""

from dataclasses import asdict

import pytest

from stack.context import Context
from stack.credentials import load_or_create
from stack.parts.flower import flower
from stack.parts.postgres_exporter import postgres_exporter
from stack.parts.worker import beat, worker
from stack.paths import paths_of
from stack.settings import Settings


@pytest.fixture
def context(tmp_path):
    settings = Settings(state_dir=tmp_path, _env_file=None)
    return Context(settings, paths_of(settings), load_or_create(tmp_path / "credentials.json"))


@pytest.mark.parametrize("describe", [flower, postgres_exporter, worker, beat])
def test_command_holds_no_password(context, describe):
    command = " ".join(describe(context).command)

    assert not [name for name, password in asdict(context.credentials).items() if password in command]


def test_flower_is_given_the_broker_and_no_database(context):
    environment = " ".join(flower(context).environment.values())

    assert context.credentials.redis in environment
    assert context.credentials.worker_user not in environment


def test_exporter_has_a_role_of_its_own_and_a_limit_for_each_statement(context):
    environment = postgres_exporter(context).environment

    assert environment["DATA_SOURCE_USER"] == "exporter_user"
    assert "statement_timeout=2000" in environment["DATA_SOURCE_URI"]


def test_only_the_worker_measures(context):
    assert "WORKER_METRICS_PORT" in worker(context).environment
    assert "WORKER_METRICS_PORT" not in beat(context).environment
