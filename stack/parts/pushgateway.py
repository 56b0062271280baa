"""Pushgateway: where functions leave their metrics, since they do not live long enough to be scraped."""

from stack.context import LOOPBACK, Context
from stack.parts.part import Part
from stack.parts.probing import http_ok


def pushgateway(context: Context) -> Part:
    """Describe how the Pushgateway runs; it keeps its groups in memory only."""
    port = context.settings.pushgateway_port
    address = f"{LOOPBACK}:{port}"

    def probe() -> str:
        http_ok(f"http://{address}/-/ready")
        return f"http://localhost:{port}"

    return Part(
        name="pushgateway",
        command=("prometheus-pushgateway", f"--web.listen-address={address}", "--persistence.file="),
        probe=probe,
        ports={"pushgateway_port": port},
    )
