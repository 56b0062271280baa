"""The launcher's side of Grafana: found, configured, started and watched. A tiny program stands in for it."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from ruamel.yaml import YAML

from stack.context import Context
from stack.parts import all_parts
from stack.parts.grafana import grafana, grafana_program
from stack.supervisor import Supervisor
from tests.integration.parts import START_S, wait_until
from tests.integration.stack.test_door import is_well

pytestmark = pytest.mark.integration

STAND_IN = """#!{python}
import configparser, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

assert sys.argv[1] == "server", sys.argv
given = dict(word.removeprefix("--").split("=", 1) for word in sys.argv[2:])
settings = configparser.ConfigParser(interpolation=None)
settings.read(given["config"])

class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()
        self.wfile.write(os.environ["READONLY_PASSWORD"].encode() + given["homepath"].encode())

server = settings["server"]
HTTPServer((server["http_addr"], int(server["http_port"])), Health).serve_forever()
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder laid out as Grafana's own, with its program on the PATH."""
    program = tmp_path / "bin" / "grafana"
    defaults = tmp_path / "conf" / "defaults.ini"
    for file in (program, defaults):
        file.parent.mkdir()
    defaults.touch()
    program.write_text(STAND_IN.format(python="/usr/bin/env python3"))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return tmp_path


@pytest.fixture
def supervisor(context: Context) -> Iterator[Supervisor]:
    made = Supervisor(context)
    yield made
    made.shut_down(last=frozenset())


def test_grafana_is_started_where_it_is_with_its_port_and_home(
    context: Context, home: Path, supervisor: Supervisor
) -> None:
    part = grafana(context)
    supervisor.ensure([part])
    supervisor.start("grafana")
    wait_until(lambda: is_well(part), timeout_s=START_S, what="the stand-in")
    answer = urllib3.request("GET", f"http://127.0.0.1:{context.settings.grafana_port}/api/health")
    assert answer.data.decode() == f"{context.credentials.readonly_user}{home}"
    assert stat.S_IMODE((context.paths.rendered / "grafana.ini").stat().st_mode) == 0o600


def test_prometheus_reads_grafana_only_where_it_is(context: Context, home: Path) -> None:
    def jobs() -> set[str]:
        names = {part.name for part in all_parts(context)}
        assert ("grafana" in names) == (grafana_program(context.settings) is not None)
        document = YAML(typ="safe").load(context.paths.rendered / "prometheus.yml")
        return {job["job_name"] for job in document["scrape_configs"]}

    assert grafana_program(context.settings) == home / "bin" / "grafana"
    assert "grafana" in jobs()
    (home / "bin" / "grafana").unlink()
    assert "grafana" not in jobs()
