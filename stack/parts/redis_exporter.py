"""redis-exporter: Redis' state and the length of the queue, for Prometheus."""

from inference_contract.names import QUEUE_PREDICTIONS

from stack.context import LOOPBACK, Context
from stack.parts.exporting import read_metric
from stack.parts.part import NotReadyError, Part


def redis_exporter(context: Context) -> Part:
    """Describe how the exporter runs; it is well when Redis answers it."""
    port = context.settings.redis_exporter_port
    address = f"{LOOPBACK}:{port}"

    def probe() -> str:
        if not read_metric(f"http://{address}/metrics", "redis_up"):
            raise NotReadyError("it runs, but Redis does not answer it; look at make logs redis")
        return f"http://localhost:{port}/metrics"

    return Part(
        name="redis-exporter",
        command=(
            "prometheus-redis-exporter",
            f"-web.listen-address={address}",
            f"-redis.addr=redis://{LOOPBACK}:{context.settings.redis_port}",
            f"-check-single-keys=db0={QUEUE_PREDICTIONS}",
            "-redis-only-metrics",
        ),
        probe=probe,
        ports={"redis_exporter_port": port},
        # Not in the command, which every user of the machine can read.
        environment={"REDIS_PASSWORD": context.credentials.redis},
    )
