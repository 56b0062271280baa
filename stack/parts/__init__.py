"""The parts of a stack, one file each: what runs, how it is configured, when it is well."""

from stack.context import Context
from stack.parts.alertmanager import alertmanager
from stack.parts.flower import flower
from stack.parts.grafana import grafana, grafana_program
from stack.parts.localstack import localstack
from stack.parts.mtail import mtail
from stack.parts.nginx import nginx
from stack.parts.nginx_exporter import nginx_exporter
from stack.parts.node_exporter import node_exporter
from stack.parts.part import NotReadyError, Part, PartFailedError
from stack.parts.postgres import postgres
from stack.parts.postgres_exporter import postgres_exporter
from stack.parts.prometheus import prometheus
from stack.parts.pushgateway import pushgateway
from stack.parts.pushgateway_cleaner import pushgateway_cleaner
from stack.parts.redis import redis
from stack.parts.redis_exporter import redis_exporter
from stack.parts.worker import beat, worker

__all__ = ["STORES", "NotReadyError", "Part", "PartFailedError", "all_parts"]

STORES = frozenset({"postgres", "redis"})
"""Parts that the others write to until their own end, and that so stop last."""

_PARTS = (
    postgres,
    redis,
    pushgateway,
    pushgateway_cleaner,
    mtail,
    alertmanager,
    prometheus,
    redis_exporter,
    postgres_exporter,
    nginx_exporter,
    node_exporter,
    worker,
    beat,
    flower,
    nginx,
    localstack,
)


def all_parts(context: Context) -> list[Part]:
    """Render every configuration; return the parts as they are waited for, Postgres first.

    Raises:
        StackError: a part's program is missing or its data cannot be prepared.
    """
    optional = (grafana,) if grafana_program(context.settings) else ()
    return [describe(context) for describe in (*_PARTS, *optional)]
