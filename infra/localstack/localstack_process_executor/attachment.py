"""What our plugin adds to LocalStack besides the executor: checks, hooks, status, an orderly end."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from localstack_process_executor.cloudwatch import LogWriter
from localstack_process_executor.code_store import remove_tree
from localstack_process_executor.errors import SettingsError
from localstack_process_executor.pinned import HookState
from localstack_process_executor.wiring import parts

LOG = logging.getLogger(__name__)

# LocalStack itself waits 5 s for its Lambda versions to stop.
END_WAIT_MARGIN_S = 1.5
LAST_LOGS_WAIT_S = 1.0

_log_writers: list[LogWriter] = []
hook_states: dict[str, HookState] = {}


def attached_log_writer() -> LogWriter | None:
    """The live writer to CloudWatch Logs; None where LocalStack writes the logs itself."""
    return _log_writers[0] if _log_writers else None


def attach_to_localstack() -> None:
    """Everything at LocalStack's start; a wrong setting ends it, with the setting's name."""
    try:
        shared = parts()
    except SettingsError as error:
        LOG.critical("%s", error)
        raise SystemExit(f"process executor: {error}") from error
    from localstack_process_executor import (  # noqa: PLC0415 -- after the check
        aws_parity,
        gateway_direct,
        listen_host,
    )
    from localstack_process_executor.cloudwatch_api import LocalStackLogs  # noqa: PLC0415

    hook_states["listen_host"] = listen_host.install()
    hook_states["aws_parity"] = aws_parity.install()
    hook_states["gateway_direct"] = gateway_direct.install(wanted=shared.settings.gateway_direct)
    if hook_states["aws_parity"].enabled:
        _log_writers.append(LogWriter(LocalStackLogs()))


def detach_from_localstack() -> None:
    """End every function, all at once, write the last logs, and remove what was on disk."""

    def run_all(ends: list[Callable[[], None]]) -> None:
        with ThreadPoolExecutor(max_workers=len(ends) or 1) as pool:
            for end in ends:
                pool.submit(end)

    shared = parts()
    shared.registry.end_all(run_all)
    shared.registry.wait_until_empty(shared.settings.stop_grace_ms / 1000 + END_WAIT_MARGIN_S)
    for writer in _log_writers:
        writer.close(LAST_LOGS_WAIT_S)
    remove_tree(shared.state_dir)
