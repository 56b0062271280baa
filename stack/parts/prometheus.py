"""Prometheus: scrapes the parts and keeps what it saw."""

from stack.context import LOOPBACK, Context
from stack.parts.grafana import grafana_program
from stack.parts.part import Part
from stack.parts.probing import http_ok
from stack.rendering import TEMPLATES, render

RULES = TEMPLATES / "prometheus" / "rules"
RETENTION = "15d"


def prometheus(context: Context) -> Part:
    """Render Prometheus' configuration and describe how it runs."""
    port = context.settings.prometheus_port
    address = f"{LOOPBACK}:{port}"
    configuration = render(
        context,
        "prometheus/prometheus.yml.j2",
        context.paths.rendered / "prometheus.yml",
        rules=RULES,
        has_grafana=grafana_program(context.settings) is not None,
    )

    def probe() -> str:
        http_ok(f"http://{address}/-/ready")
        return f"http://localhost:{port}"

    return Part(
        name="prometheus",
        command=(
            "prometheus",
            f"--config.file={configuration}",
            f"--storage.tsdb.path={context.paths.state / 'prometheus'}",
            f"--storage.tsdb.retention.time={RETENTION}",
            f"--web.listen-address={address}",
        ),
        probe=probe,
        ports={"prometheus_port": port},
        watched=(configuration, RULES),
    )
