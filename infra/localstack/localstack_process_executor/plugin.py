"""What LocalStack loads: the executor's plugin, and hooks that run when LocalStack starts and stops."""

from typing import Any

from localstack import config
from localstack.runtime import hooks
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin

NAME = "process"


class ProcessRuntimeExecutorPlugin(RuntimeExecutorPlugin):
    """Chosen by LAMBDA_RUNTIME_EXECUTOR=process."""

    name = NAME

    def load(self, *_args: Any, **_kwargs: Any) -> type:  # noqa: ANN401 -- LocalStack's signature
        """The class of the executor; imported only when it is chosen."""
        from localstack_process_executor.executor import ProcessRuntimeExecutor  # noqa: PLC0415

        return ProcessRuntimeExecutor


@hooks.on_infra_start()
def attach() -> None:
    """Serve the status, which tells of a fallback too; where we are chosen, check settings and hook in."""
    if config.LAMBDA_RUNTIME_EXECUTOR == NAME:
        from localstack_process_executor.attachment import attach_to_localstack  # noqa: PLC0415

        attach_to_localstack()
    from localstack_process_executor.status_route import serve_status  # noqa: PLC0415

    serve_status()


@hooks.on_infra_shutdown(should_load=lambda: config.LAMBDA_RUNTIME_EXECUTOR == NAME)
def detach() -> None:
    """End every function, all at once, and remove what was on disk."""
    from localstack_process_executor.attachment import detach_from_localstack  # noqa: PLC0415

    detach_from_localstack()
