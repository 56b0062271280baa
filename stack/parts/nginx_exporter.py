"""nginx-exporter: how many connections Nginx has, for Prometheus."""

from stack.context import LOOPBACK, Context
from stack.parts.exporting import read_metric
from stack.parts.nginx import status_socket
from stack.parts.part import NotReadyError, Part

TRIES_AT_START = 1000
"""Without them it ends where Nginx is not there yet; a second apart, as the supervisor's own."""


def nginx_exporter(context: Context) -> Part:
    """Describe how the exporter runs; it is well when Nginx answers it."""
    port = context.settings.nginx_exporter_port
    address = f"{LOOPBACK}:{port}"

    def probe() -> str:
        if not read_metric(f"http://{address}/metrics", "nginx_up"):
            raise NotReadyError("it runs, but Nginx does not answer it; look at make logs nginx")
        return f"http://localhost:{port}/metrics"

    return Part(
        name="nginx-exporter",
        command=(
            "prometheus-nginx-exporter",
            f"-web.listen-address={address}",
            f"-nginx.scrape-uri=unix:{status_socket(context)}:/stub_status",
            f"-nginx.retries={TRIES_AT_START}",
            "-nginx.retry-interval=1s",
        ),
        probe=probe,
        ports={"nginx_exporter_port": port},
    )
