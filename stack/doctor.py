"""`make doctor`: what is installed, what LocalStack has really loaded, what differs, and what is stuck."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg2
from rich.markup import escape
from ruamel.yaml import YAML

from stack import deployment
from stack.context import LOOPBACK, Context
from stack.errors import StackError
from stack.packages import FUNCTIONS
from stack.parts import NotReadyError
from stack.parts.grafana import HOW_TO_GET_IT, grafana_program
from stack.parts.localstack import EXECUTOR, PYTHON, loaded_executor
from stack.parts.probing import http_get
from stack.progress import console
from stack.settings import ROOT
from stack.supervisor import Supervisor
from stack.system_packages import PROGRAMS

VERSION_DEADLINE_S = 10
STUCK = """
SELECT count(*) FILTER (WHERE status = 'queued' AND submitted_at < now() - interval '60 s'),
       count(*) FILTER (WHERE status = 'running' AND lease_until < now()),
       count(*) FILTER (WHERE status = 'failed')
FROM predictions
"""
SILENT = "max_over_time(up[1m]) == 0 and up offset 1m == 0"
"""Jobs that were read for a minute at least, and not once with success: a part that just started is none."""
PRINT_ROUTES = """
import json, app
print(json.dumps([f"{method} {path}" for path, by_method in app.app.routes.items() for method in by_method]))
"""
PACKAGES = ("chalice", "celery", "scikit-learn", "aws-lambda-powertools", "supervisor")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    topic: str
    text: str
    is_well: bool = True


def examine(context: Context) -> int:
    """Print every finding; return 1 where one needs care, else 0."""
    well = True
    for title, look in _SECTIONS.items():
        console.print(f"\n[bold]{title}[/]")
        for finding in _as_far_as_possible(look(context)):
            well = well and finding.is_well
            mark = "[green]✓[/]" if finding.is_well else "[red]✗[/]"
            console.print(f"  {mark} {escape(finding.topic):<24} {escape(finding.text)}")
    return 0 if well else 1


def _as_far_as_possible(findings: Iterator[Finding]) -> Iterator[Finding]:
    """A part of the report that cannot be made is a finding too, and the rest is still worth reading."""
    try:
        yield from findings
    except StackError as error:
        yield Finding(error.part, f"{error.reason}; {error.way_out}", is_well=False)


def _installed(context: Context) -> Iterator[Finding]:
    for program in PROGRAMS:
        path = program.path()
        if path is None:
            yield Finding(program.name, f"missing: package {program.apt}", is_well=False)
        else:
            yield Finding(program.name, f"{_version_of(path)} ({path})")
    grafana = grafana_program(context.settings)
    yield Finding("grafana", f"{_version_of(grafana)} ({grafana})" if grafana else HOW_TO_GET_IT)
    yield Finding("python", f"{sys.version.split()[0]} ({sys.executable})")
    for name in PACKAGES:
        yield Finding(name, version(name))
    yield Finding("localstack-core", _localstack_version(), is_well=PYTHON.exists())


def _version_of(program: Path) -> str:
    flag = "-v" if program.name == "nginx" else "--version"
    result = subprocess.run(
        [str(program), flag],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=VERSION_DEADLINE_S,
    )
    lines = (result.stdout or result.stderr).strip().splitlines()
    return lines[0] if lines else "says nothing of its version"


def _localstack_version() -> str:
    if not PYTHON.exists():
        return "missing: make up installs it"
    code = "from importlib.metadata import version; print(version('localstack-core'))"
    result = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True, check=False)
    return result.stdout.strip()


def _running(context: Context) -> Iterator[Finding]:
    states = Supervisor(context).states()
    if not states:
        yield Finding("supervisor", "the stack is down: make up", is_well=False)
    for state in states:
        yield Finding(state.name, f"{state.state}, {state.reason}", is_well=state.state == "RUNNING")


def _function_runtime(context: Context) -> Iterator[Finding]:
    try:
        report: dict[str, Any] = loaded_executor(context)
    except NotReadyError as error:
        yield Finding("Lambda executor", str(error), is_well=False)
        return
    loaded = report["executor"]
    yield Finding("Lambda executor", f"LocalStack has loaded {loaded!r}", is_well=loaded == EXECUTOR)
    for hook in ("listen_host", "aws_parity", "gateway_direct"):
        state = report[hook]
        switched_off = hook == "gateway_direct" and not context.settings.gateway_direct
        yield Finding(hook.replace("_", " "), state["reason"], is_well=state["enabled"] or switched_off)
    for topic in ("isolation", "interpreters", "totals"):
        yield Finding(topic, json.dumps(report[topic]))
    yield Finding("environments", f"{len(report['environments'])} of at most {report['max_environments']}")


def _differences(context: Context) -> Iterator[Finding]:
    routes, paths = _app_routes(context), _template_paths()
    for extra in sorted(routes - paths):
        yield Finding(extra, "a route of an app, but not in template.yaml", is_well=False)
    for extra in sorted(paths - routes):
        yield Finding(extra, "in template.yaml, but no route of an app", is_well=False)
    if routes == paths:
        yield Finding("routes", f"apps and template.yaml agree: {', '.join(sorted(routes))}")
    is_deployed = deployment.packaged(context) == deployment.deployed(context)
    text = "what was packaged last is deployed" if is_deployed else "something newer is packaged: make deploy"
    yield Finding("deployment", text, is_well=is_deployed)


def _app_routes(context: Context) -> set[str]:
    """Ask the apps themselves, each in an interpreter of its own: both have a module named `app`."""
    routes: set[str] = set()
    for name in FUNCTIONS:
        folders = [ROOT / "functions" / name, ROOT / "functions" / "common", ROOT / "contract"]
        environment = {
            "PYTHONPATH": ":".join(str(folder) for folder in folders),
            "DATABASE_URL": context.database_url("functions_user"),
            "BROKER_URL": context.broker_url,
        }
        result = subprocess.run(
            [sys.executable, "-c", PRINT_ROUTES],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            reason = f"functions/{name} cannot be loaded: {result.stderr.strip().splitlines()[-1]}"
            raise StackError("routes", reason, way_out=f"correct functions/{name}/app.py")
        routes.update(json.loads(result.stdout))
    return routes


def _template_paths() -> set[str]:
    resources = YAML().load(ROOT / "template.yaml")["Resources"]
    return {
        f"{event['Properties']['Method'].upper()} {event['Properties']['Path']}"
        for resource in resources.values()
        for event in resource.get("Properties", {}).get("Events", {}).values()
    }


def _watched(context: Context) -> Iterator[Finding]:
    address = f"http://{LOOPBACK}:{context.settings.prometheus_port}/api/v1"
    try:
        silent = _answer_of(f"{address}/query?{urlencode({'query': SILENT})}")["result"]
        alerts = _answer_of(f"{address}/alerts")["alerts"]
    except NotReadyError as error:
        yield Finding("prometheus", str(error), is_well=False)
        return
    for each in silent:
        yield Finding(each["metric"]["job"], "Prometheus has read nothing there for a minute", is_well=False)
    if not silent:
        yield Finding("scraped", "every job answers")
    firing = sorted({alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"})
    yield Finding("alerts", f"firing: {', '.join(firing)}" if firing else "none fires")


def _answer_of(url: str) -> dict[str, Any]:
    answer = http_get(url)
    if answer.status != 200:  # noqa: PLR2004 - HTTP's own number
        raise NotReadyError(f"it answers {answer.status}")
    found: dict[str, Any] = answer.json()["data"]
    return found


def _stuck(context: Context) -> Iterator[Finding]:
    url = context.database_url("readonly_user")
    try:
        with closing(psycopg2.connect(url, connect_timeout=2)) as connection, connection.cursor() as cursor:
            cursor.execute(STUCK)
            waiting, abandoned, failed = cursor.fetchone() or (0, 0, 0)
    except psycopg2.Error as error:
        yield Finding("postgres", str(error).strip().splitlines()[0], is_well=False)
        return
    yield Finding("queued over 60 s", str(waiting), is_well=waiting == 0)
    yield Finding("running without a lease", str(abandoned), is_well=abandoned == 0)
    yield Finding("failed", str(failed))


_SECTIONS: dict[str, Callable[[Context], Iterator[Finding]]] = {
    "installed": _installed,
    "parts": _running,
    "function runtime": _function_runtime,
    "what differs": _differences,
    "what Prometheus sees": _watched,
    "what is stuck": _stuck,
}
