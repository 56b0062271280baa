"""GET /_localstack/process-executor: which executor LocalStack really loaded, and what runs in it.

Below it `/metrics`, in Prometheus' text format.
"""

from dataclasses import asdict
from typing import Any

from localstack import config
from localstack.http import Request, Response
from localstack.services.internal import get_internal_apis
from localstack.services.lambda_.invocation.runtime_executor import (
    EXECUTOR_PLUGIN_MANAGER,
    get_runtime_executor,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from localstack_process_executor import __version__
from localstack_process_executor.attachment import hook_states
from localstack_process_executor.deployed import deployed_functions
from localstack_process_executor.executor import ProcessRuntimeExecutor
from localstack_process_executor.plugin import NAME
from localstack_process_executor.runtimes import PythonRuntime
from localstack_process_executor.wiring import Parts, parts

FALLBACK = "docker"
PATH = "/_localstack/process-executor"
METRICS_PATH = f"{PATH}/metrics"
TOTALS = (
    "started",
    "cold_starts",
    "invocations",
    "errors",
    "timeouts",
    "out_of_memory",
    "init_errors",
    "put_away",
    "refused",
)


def serve_status() -> None:
    """Add the routes; they answer before the Lambda service is loaded."""
    get_internal_apis().add(PATH, _status, methods=["GET"])
    get_internal_apis().add(METRICS_PATH, _metrics, methods=["GET"])


def _status(_request: Request) -> dict[str, Any]:
    loaded = {"executor": _loaded_executor(), "version": __version__}
    if loaded["executor"] != NAME:
        return loaded
    shared = parts()
    interpreters = {
        runtime.name: _interpreter(shared, runtime) for runtime in shared.runtimes.provided_pythons()
    }
    return loaded | {
        "gateway_direct": asdict(hook_states["gateway_direct"]),
        "aws_parity": asdict(hook_states["aws_parity"]),
        "listen_host": asdict(hook_states["listen_host"]),
        "isolation": _isolation(interpreters),
        "interpreters": interpreters,
        "environments": shared.registry.describe(),
        "max_environments": shared.registry.max_environments,
        "totals": shared.registry.totals(TOTALS),
    }


def _metrics(_request: Request) -> Response:
    if _loaded_executor() != NAME:
        return Response(b"", content_type=CONTENT_TYPE_PLAIN_0_0_4)
    shared = parts()
    text = shared.metrics.render(shared.registry.describe(), deployed_functions())
    return Response(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _loaded_executor() -> str:
    """The plugin that LocalStack's own choice ends at: a name that is not found falls back to docker."""
    chosen = config.LAMBDA_RUNTIME_EXECUTOR or FALLBACK
    loaded = get_runtime_executor()
    if loaded is ProcessRuntimeExecutor:
        return NAME
    return chosen if chosen != NAME and EXECUTOR_PLUGIN_MANAGER.exists(chosen) else FALLBACK


def _interpreter(shared: Parts, runtime: PythonRuntime) -> dict[str, Any]:
    verdict = shared.isolation.verdict(runtime)
    return {
        "path": str(runtime.interpreter),
        "runtime_dir": str(runtime.folder),
        "reachable_by_unprivileged": verdict.own_user,
        "reason": verdict.reason,
    }


def _isolation(interpreters: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A user for each environment, or the first reason why a runtime has to do without."""
    refused = {name: facts for name, facts in interpreters.items() if not facts["reachable_by_unprivileged"]}
    for name, facts in refused.items():
        return {"user_per_environment": False, "reason": f"{name}: {facts['reason']}"}
    if not interpreters:
        return {"user_per_environment": False, "reason": "no python runtime is provided"}
    return {"user_per_environment": True, "reason": "every runtime is reachable by unprivileged users"}
