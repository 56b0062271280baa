"""Where a stack keeps its things."""

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
