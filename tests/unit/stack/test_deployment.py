"""What is deployed is known of the run of LocalStack that it was deployed to, and of no other."""

import json

import pytest

from stack import deployment
from stack.context import Context
from stack.credentials import load_or_create
from stack.errors import StackError
from stack.packages import FUNCTIONS
from stack.paths import paths_of
from stack.settings import Settings


@pytest.fixture
def context(tmp_path):
    settings = Settings(state_dir=tmp_path / "state", _env_file=None)
    paths = paths_of(settings)
    paths.make()
    for name in FUNCTIONS:
        (paths.build / f"{name}.zip").write_text(name)
    return Context(settings, paths, load_or_create(paths.credentials))


@pytest.fixture
def applied(monkeypatch):
    """Whatever is asked of LocalStack works, and is noted."""
    done = []
    monkeypatch.setattr(deployment, "_client", lambda *_: None)
    monkeypatch.setattr(deployment, "_upload", lambda *_: None)
    monkeypatch.setattr(deployment, "_apply", lambda *_: done.append("all"))
    monkeypatch.setattr(deployment, "_update_code", lambda *_: done.append("code"))
    monkeypatch.setattr(deployment, "_reserve_concurrency", lambda *_: None)
    monkeypatch.setattr(deployment, "warm_up", lambda *_: None)
    return done


def start_localstack(context, run):
    """As infra/localstack/start.sh does."""
    context.paths.localstack_run.write_text(run)
    context.paths.deployed.unlink(missing_ok=True)


def test_second_deploy_into_the_same_run_does_nothing(context, applied):
    start_localstack(context, "first")

    assert deployment.deploy(context)
    assert not deployment.deploy(context)
    assert applied == ["all"]


def test_changed_package_goes_to_lambda_alone(context, applied):
    start_localstack(context, "first")
    deployment.deploy(context)
    (context.paths.build / "predict.zip").write_text("changed")

    assert deployment.deploy(context)
    assert applied == ["all", "code"]


def test_localstack_that_restarts_during_a_deploy_is_not_said_to_have_it(context, applied, monkeypatch):
    start_localstack(context, "first")
    monkeypatch.setattr(deployment, "warm_up", lambda *_: start_localstack(context, "second"))

    with pytest.raises(StackError, match="LocalStack has ended meanwhile"):
        deployment.deploy(context)

    assert not context.paths.deployed.exists()
    monkeypatch.setattr(deployment, "warm_up", lambda *_: None)
    assert deployment.deploy(context)
    assert applied == ["all", "all"]


def test_marker_of_an_earlier_run_is_not_believed(context, applied):
    start_localstack(context, "first")
    deployment.deploy(context)
    stale = context.paths.deployed.read_text()
    start_localstack(context, "second")
    context.paths.deployed.write_text(stale)

    assert deployment.deploy(context)
    assert applied == ["all", "all"]
    assert json.loads(context.paths.deployed.read_text())["run"] == "second"


def test_deploy_to_a_localstack_that_is_down_says_how_to_start_it(context):
    down = Context(
        context.settings.model_copy(update={"localstack_port": 1}), context.paths, context.credentials
    )

    with pytest.raises(StackError, match=r"does not answer at http://127\.0\.0\.1:1") as caught:
        deployment.deploy(down)

    assert "make up" in caught.value.way_out
