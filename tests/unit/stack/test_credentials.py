"""Passwords are made once, never in the open."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor

from stack.credentials import load_or_create


def test_passwords_are_generated_once(tmp_path):
    path = tmp_path / "credentials.json"

    assert load_or_create(path) == load_or_create(path)


def test_file_is_closed_to_others(tmp_path):
    path = tmp_path / "credentials.json"
    load_or_create(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_missing_password_is_added_and_others_stay(tmp_path):
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps({"redis": "kept"}))

    credentials = load_or_create(path)

    assert credentials.redis == "kept"
    assert credentials.postgres == json.loads(path.read_text())["postgres"]


def test_no_two_roles_share_a_password(tmp_path):
    path = tmp_path / "credentials.json"
    load_or_create(path)

    passwords = json.loads(path.read_text()).values()
    assert len(set(passwords)) == len(passwords)


def test_all_that_begin_at_once_get_the_same_passwords(tmp_path):
    path = tmp_path / "credentials.json"
    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(lambda _: load_or_create(path), range(8)))

    assert got == {load_or_create(path)}
