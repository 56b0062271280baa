"""What a person may set, and what is refused with its name."""

import pytest

from stack.errors import StackError
from stack.settings import load_settings


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch, tmp_path):
    """Keep the caller's own .env and environment out."""
    monkeypatch.setattr("stack.settings.Settings.model_config", {"env_file": tmp_path / "none"})
    for name in ("HTTP_PORT", "REDIS_PORT", "PORT_OFFSET", "STATE_DIR", "LOG_LEVEL", "WORKER_CONCURRENCY"):
        monkeypatch.delenv(name, raising=False)


def test_environment_goes_over_the_defaults(monkeypatch):
    monkeypatch.setenv("HTTP_PORT", "8100")

    assert load_settings().http_port == 8100


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PORT", "eighty"),
        ("HTTP_PORT", "80"),
        ("HTTP_PORT", "70000"),
        ("PORT_OFFSET", "some"),
        ("PORT_OFFSET", "-1"),
        ("LOG_LEVEL", "LOUD"),
        ("WORKER_CONCURRENCY", "0"),
        ("ALERT_WEBHOOK_URL", "mail@example.org"),
    ],
)
def test_unusable_value_is_refused_with_its_name(monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    with pytest.raises(StackError, match=f"{name}='{value}'"):
        load_settings()


@pytest.mark.parametrize("folder", ["100%", 'a "b"', "it's", "$HOME", "a;b", "a #b", "a:b", "a\\b", "a\nb"])
def test_folder_that_cannot_be_written_into_every_configuration_is_refused(monkeypatch, folder):
    monkeypatch.setenv("STATE_DIR", folder)

    with pytest.raises(StackError, match=r"STATE_DIR is .*, which holds "):
        load_settings()


def test_folder_with_blanks_and_letters_of_any_language_is_taken(monkeypatch):
    monkeypatch.setenv("STATE_DIR", "/srv/zwei Wörter (1)")

    assert str(load_settings().state_dir) == "/srv/zwei Wörter (1)"


def test_two_parts_on_one_port_are_refused(monkeypatch):
    monkeypatch.setenv("HTTP_PORT", "16379")

    with pytest.raises(StackError, match="REDIS_PORT and HTTP_PORT are both 16379"):
        load_settings()


@pytest.mark.parametrize("offset", ["100", " 100 ", "+100", "100.0"])
def test_offset_moves_every_port_that_was_not_set_itself(monkeypatch, offset):
    defaults = load_settings().ports()
    monkeypatch.setenv("PORT_OFFSET", offset)
    monkeypatch.setenv("HTTP_PORT", "8001")

    moved = {name: port + 100 for name, port in defaults.items()}
    assert moved | {"http_port": 8001} == load_settings().ports()
