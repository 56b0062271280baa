"""What LocalStack loads: the executor's plugin, and hooks that run when LocalStack starts and stops."""

import logging
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from localstack import config
from localstack.runtime import hooks
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin

LOG = logging.getLogger(__name__)

NAME = "process"
# LocalStack itself waits 5 s for its Lambda versions to stop.
END_WAIT_MARGIN_S = 1.5


class ProcessRuntimeExecutorPlugin(RuntimeExecutorPlugin):
    """Chosen by LAMBDA_RUNTIME_EXECUTOR=process."""

    name = NAME

    def load(self, *_args: Any, **_kwargs: Any) -> type:  # noqa: ANN401 -- LocalStack's signature
        """The class of the executor; imported only when it is chosen."""
        from localstack_process_executor.executor import ProcessRuntimeExecutor  # noqa: PLC0415

        return ProcessRuntimeExecutor


@hooks.on_infra_start(should_load=lambda: config.LAMBDA_RUNTIME_EXECUTOR == NAME)
def attach() -> None:
    """Check the settings, serve the status route, and hook into LocalStack where a switch asks for it."""
    from localstack_process_executor.status_route import serve_status  # noqa: PLC0415
    from localstack_process_executor.wiring import parts  # noqa: PLC0415

    parts()
    serve_status()


@hooks.on_infra_shutdown(should_load=lambda: config.LAMBDA_RUNTIME_EXECUTOR == NAME)
def detach() -> None:
    """End every function, all at once, and remove what was on disk."""
    from localstack_process_executor.wiring import parts  # noqa: PLC0415

    def run_all(ends: list[Callable[[], None]]) -> None:
        with ThreadPoolExecutor(max_workers=len(ends) or 1) as pool:
            for end in ends:
                pool.submit(end)

    parts().registry.end_all(run_all)
    parts().registry.wait_until_empty(parts().settings.stop_grace_ms / 1000 + END_WAIT_MARGIN_S)
    shutil.rmtree(parts().state_dir, ignore_errors=True)
