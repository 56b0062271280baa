"""Where a stack keeps its things."""

import dataclasses

import pytest

from stack.errors import StackError
from stack.paths import paths_of
from stack.settings import ROOT, Settings


def settings_with(state_dir):
    return Settings(state_dir=state_dir)


def test_relative_folder_lies_in_the_checkout():
    assert paths_of(settings_with("elsewhere")).state == ROOT / "elsewhere"


def test_open_folder_is_shared_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    paths = paths_of(settings_with(tmp_path))

    assert paths.shared == paths.state


def test_root_shares_outside_a_closed_parent(tmp_path, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr("os.geteuid", lambda: 0)

    paths = paths_of(settings_with(closed / "state"))

    assert closed not in paths.shared.parents
    assert paths.state == closed / "state"


@pytest.mark.parametrize("state_dir", ["", ".", "..", "/"])
def test_checkout_is_no_folder_for_a_stack(state_dir):
    with pytest.raises(StackError, match=r"STATE_DIR is .*, which holds the checkout"):
        paths_of(settings_with(state_dir)).make()


def test_folder_with_something_else_in_it_is_left_alone(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(StackError, match="holds something that is no stack"):
        paths_of(settings_with(tmp_path)).make()

    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_folder_of_a_stack_that_was_just_begun_is_taken_again(tmp_path):
    paths = paths_of(settings_with(tmp_path / "state"))
    paths.make()
    (paths.state / "anything").touch()

    paths.make()

    assert paths.rendered.is_dir()


def test_shared_folder_that_another_user_made_is_refused(tmp_path, monkeypatch):
    paths = dataclasses.replace(paths_of(settings_with(tmp_path / "state")), shared=tmp_path / "shared")
    paths.make()
    own = paths.shared.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: own + 1)

    with pytest.raises(StackError, match="shared belongs to another user"):
        paths.make()
