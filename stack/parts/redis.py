"""Redis: carries the wake-ups; append-only file, and it refuses rather than evicts when full."""

import redis as redis_client

from stack.context import LOOPBACK, Context
from stack.parts.part import NotReadyError, Part
from stack.parts.probing import PROBE_TIMEOUT_S
from stack.rendering import render


def redis(context: Context) -> Part:
    """Render Redis' configuration and describe how it runs."""
    port = context.settings.redis_port
    data = context.paths.state / "redis"
    data.mkdir(exist_ok=True)
    configuration = render(
        context, "redis/redis.conf.j2", context.paths.rendered / "redis.conf", data_dir=data
    )

    def probe() -> str:
        client = redis_client.Redis.from_url(
            context.broker_url, socket_timeout=PROBE_TIMEOUT_S, socket_connect_timeout=PROBE_TIMEOUT_S
        )
        try:
            client.ping()
        except redis_client.RedisError as error:
            raise NotReadyError(str(error)) from error
        finally:
            client.close()
        return f"{LOOPBACK}:{port}"

    return Part(
        name="redis",
        command=("redis-server", str(configuration)),
        probe=probe,
        ports={"redis_port": port},
        watched=(configuration,),
    )
