"""Grafana: shows what Prometheus and Postgres know. Debian has no package: it runs where one put it."""

import shutil
from pathlib import Path

from stack.context import LOOPBACK, Context
from stack.parts.part import NotReadyError, Part
from stack.parts.probing import http_get
from stack.rendering import TEMPLATES, render
from stack.settings import Settings

HOW_TO_GET_IT = "not installed; get it at grafana.com/grafana/download, on the PATH or in GRAFANA_HOME"
NAMES = ("grafana", "grafana-server")
"""The second is the name before version 9.4; it takes no verb."""
PACKAGED_HOMES = ("share/grafana", "opt/grafana/share/grafana")
DASHBOARDS = TEMPLATES / "grafana" / "dashboards"
PROVISIONING = ("datasources/stack.yml", "dashboards/stack.yml")
STARTUP_DEADLINE_S = 90.0
"""Its first start makes a database of its own."""


def grafana_program(settings: Settings) -> Path | None:
    """Return the program where there is one: below GRAFANA_HOME, else on the PATH."""
    folder = str(Path(settings.grafana_home) / "bin") if settings.grafana_home else None
    found = (shutil.which(name, path=folder) for name in NAMES)
    return next((Path(program) for program in found if program), None)


def grafana(context: Context) -> Part:
    """Render Grafana's configuration and provisioning, and describe how it runs.

    Raises:
        ValueError: there is no Grafana; ask `grafana_program` first.
    """
    program = grafana_program(context.settings)
    if program is None:
        raise ValueError("there is no Grafana on this machine")
    configuration, *provisioning = _render(context)
    port = context.settings.grafana_port

    def probe() -> str:
        answer = http_get(f"http://{LOOPBACK}:{port}/api/health")
        if answer.status != 200:  # noqa: PLR2004 - HTTP's own number
            raise NotReadyError(f"its health page answers {answer.status}; look at make logs grafana")
        return f"http://localhost:{port}, user admin"

    return Part(
        name="grafana",
        command=_command(program, configuration),
        probe=probe,
        ports={"grafana_port": port},
        # For the provisioning file, which names the variable.
        environment={"READONLY_PASSWORD": context.credentials.readonly_user},
        watched=(configuration, *provisioning),
        startup_deadline_s=STARTUP_DEADLINE_S,
    )


def _render(context: Context) -> list[Path]:
    home = context.paths.state / "grafana"
    provisioning = home / "provisioning"
    configuration = context.paths.rendered / "grafana.ini"
    rendered = [render(context, "grafana/grafana.ini.j2", configuration, home=home, dashboards=DASHBOARDS)]
    for name in PROVISIONING:
        target = provisioning / name
        target.parent.mkdir(parents=True, exist_ok=True)
        template = f"grafana/provisioning/{name}.j2"
        rendered.append(render(context, template, target, dashboards=DASHBOARDS))
    return rendered


def _command(program: Path, configuration: Path) -> tuple[str, ...]:
    home = _home_of(program)
    verb = ("server",) if program.name == "grafana" else ()
    homepath = (f"--homepath={home}",) if home else ()
    return (str(program), *verb, *homepath, f"--config={configuration}")


def _home_of(program: Path) -> Path | None:
    """Find Grafana's own folder: its defaults and its pages."""
    prefix = program.resolve().parent.parent
    prefixes = (prefix, program.parent.parent)
    candidates = (prefix, *(above / home for above in prefixes for home in PACKAGED_HOMES))
    return next((home for home in candidates if (home / "conf" / "defaults.ini").is_file()), None)
