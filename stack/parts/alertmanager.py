"""Alertmanager: groups what Prometheus finds wrong, leaves out what follows from another, and tells."""

from stack.context import LOOPBACK, Context
from stack.parts.part import Part
from stack.parts.probing import http_ok
from stack.rendering import render


def alertmanager(context: Context) -> Part:
    """Render Alertmanager's configuration and describe how it runs; it talks to no other Alertmanager."""
    port = context.settings.alertmanager_port
    address = f"{LOOPBACK}:{port}"
    configuration = render(
        context, "prometheus/alertmanager.yml.j2", context.paths.rendered / "alertmanager.yml"
    )

    def probe() -> str:
        http_ok(f"http://{address}/-/ready")
        told = context.settings.alert_webhook_url
        return f"http://localhost:{port}" + ("" if told else ", tells nobody: ALERT_WEBHOOK_URL is empty")

    return Part(
        name="alertmanager",
        command=(
            "prometheus-alertmanager",
            f"--config.file={configuration}",
            f"--storage.path={context.paths.state / 'alertmanager'}",
            f"--web.listen-address={address}",
            f"--web.external-url=http://localhost:{port}",
            "--cluster.listen-address=",
        ),
        probe=probe,
        ports={"alertmanager_port": port},
        watched=(configuration,),
    )
