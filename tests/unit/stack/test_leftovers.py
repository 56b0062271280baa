"""What outlived its supervisor is ended; what merely names a file of the stack is not."""

import subprocess
import sys

import psutil
import pytest

from stack import leftovers
from stack.context import Context
from stack.credentials import load_or_create
from stack.leftovers import MARK, end_leftovers
from stack.paths import paths_of
from stack.settings import Settings

SLEEPER = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]


@pytest.fixture
def context(tmp_path):
    paths = paths_of(Settings(state_dir=tmp_path, _env_file=None))
    return Context(Settings(_env_file=None), paths, load_or_create(paths.credentials))


def started(command, **environment):
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


def test_marked_process_is_ended(context):
    with started(SLEEPER, **{MARK: str(context.paths.state)}) as left:
        assert end_leftovers(context) == 1
        assert left.wait(10) is not None


def test_process_that_has_a_file_of_the_stack_open_is_left_alone(context):
    with started([*SLEEPER, str(context.paths.rendered / "nginx.conf")]) as editor:
        assert end_leftovers(context) == 0
        assert editor.poll() is None
        editor.kill()


def test_process_that_ends_by_itself_meanwhile_is_no_failure(context, monkeypatch):
    with started(SLEEPER) as ended:
        process = psutil.Process(ended.pid)
        ended.kill()
    monkeypatch.setattr(leftovers, "_leftovers", lambda _: [process])

    assert end_leftovers(context) == 1
