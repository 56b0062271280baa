"""Grafana is found where it is; what it is given is closed, and names what dashboards name."""

import configparser
import stat
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from stack.context import Context
from stack.credentials import load_or_create
from stack.parts.grafana import DASHBOARDS, grafana, grafana_program
from stack.paths import Paths
from stack.settings import Settings
from tests.unit.stack.grafana_schema import KEYS


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A stack with a Grafana that nobody starts."""
    program = tmp_path / "home" / "bin" / "grafana"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    monkeypatch.setenv("GRAFANA_HOME", str(tmp_path / "home"))
    paths = Paths(state=tmp_path / "state", shared=tmp_path / "state")
    paths.make()
    return Context(settings=Settings(), paths=paths, credentials=load_or_create(paths.credentials))


def test_no_grafana_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert grafana_program(Settings(grafana_home="")) is None
    assert grafana_program(Settings(grafana_home=str(tmp_path))) is None


def test_program_of_before_9_4_takes_no_verb(context: Context) -> None:
    old = Path(context.settings.grafana_home) / "bin" / "grafana"
    old.rename(old.with_name("grafana-server"))
    assert "server" not in grafana(context).command
    assert grafana(context).command[0].endswith("grafana-server")


def test_nobody_comes_in_without_the_password_and_nothing_calls_out(context: Context) -> None:
    grafana(context)
    file = context.paths.rendered / "grafana.ini"
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert settings["server"]["http_addr"] == "127.0.0.1"
    assert settings["server"]["http_port"] == str(context.settings.grafana_port)
    assert settings["security"]["admin_password"] == context.credentials.grafana_admin
    assert settings["security"]["disable_gravatar"] == "true"
    closed = [("auth.anonymous", "enabled"), ("users", "allow_sign_up"), ("news", "news_feed_enabled")]
    sends = ("snapshots", "external_enabled")
    for section, option in (*closed, sends, *(("analytics", option) for option in settings["analytics"])):
        assert settings[section][option] == "false", (section, option)
    for option in ("preinstall_disabled", "public_key_retrieval_disabled"):
        assert settings["plugins"][option] == "true"


def test_every_setting_is_one_that_grafana_knows(context: Context) -> None:
    grafana(context)
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(context.paths.rendered / "grafana.ini")
    given = {(section, key) for section in settings.sections() for key in settings[section]}
    assert given
    assert sorted(given - KEYS) == []


def test_data_sources_have_the_ids_that_dashboards_name(context: Context) -> None:
    grafana(context)
    folder = context.paths.state / "grafana" / "provisioning"
    sources = YAML(typ="safe").load(folder / "datasources" / "stack.yml")["datasources"]
    by_id = {source["uid"]: source for source in sources}
    assert set(by_id) == {"prometheus", "postgres", "alertmanager"}
    assert by_id["prometheus"]["url"].endswith(f":{context.settings.prometheus_port}")
    assert by_id["postgres"]["user"] == "readonly_user"
    assert by_id["postgres"]["secureJsonData"]["password"] == "$READONLY_PASSWORD"  # noqa: S105 - a variable
    assert grafana(context).environment["READONLY_PASSWORD"] == context.credentials.readonly_user


def test_dashboards_are_the_repository_s(context: Context) -> None:
    grafana(context)
    folder = context.paths.state / "grafana" / "provisioning"
    [provider] = YAML(typ="safe").load(folder / "dashboards" / "stack.yml")["providers"]
    assert provider["options"]["path"] == str(DASHBOARDS)
    assert provider["allowUiUpdates"] is False
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(context.paths.rendered / "grafana.ini")
    assert Path(settings["dashboards"]["default_home_dashboard_path"]).is_file()


def test_passwords_are_in_no_command(context: Context) -> None:
    assert not any(context.credentials.grafana_admin in word for word in grafana(context).command)
