"""The parts of the executor, put together once for each LocalStack process."""

import logging
import os
import re
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from localstack_process_executor.code_store import CodeStore, remove_tree
from localstack_process_executor.isolation import Isolation
from localstack_process_executor.log_file import LogFile
from localstack_process_executor.metrics import LambdaMetrics
from localstack_process_executor.registry import Registry
from localstack_process_executor.runtimes import RuntimeCatalogue
from localstack_process_executor.settings import Settings, read_settings
from localstack_process_executor.uid_pool import UidPool

LOG = logging.getLogger(__name__)

STATE_FOLDER = re.compile(r"lambda-process-(\d+)-\w+")
# Others may pass through to what they know of, and list nothing.
PASS_THROUGH = 0o711


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that the environments of one LocalStack share."""

    settings: Settings
    registry: Registry
    metrics: LambdaMetrics
    runtimes: RuntimeCatalogue
    isolation: Isolation
    code: CodeStore
    log_file: LogFile
    state_dir: Path
    temporary_root: Path


@cache
def parts() -> Parts:
    """Read the settings and build the parts; a wrong setting is refused here with its name."""
    settings = read_settings(os.environ)
    state_dir = _state_dir(Path(tempfile.gettempdir()))
    temporary_root = state_dir / "tmp"
    temporary_root.mkdir()
    temporary_root.chmod(PASS_THROUGH)
    uids = UidPool(settings.uid_range) if settings.uid_range and os.geteuid() == 0 else None
    return Parts(
        settings=settings,
        registry=Registry(settings.max_environments),
        metrics=LambdaMetrics(),
        runtimes=RuntimeCatalogue(settings),
        isolation=Isolation(uids, state_dir),
        code=CodeStore(state_dir / "code"),
        log_file=LogFile(settings.log_file),
        state_dir=state_dir,
        temporary_root=temporary_root,
    )


def _state_dir(parent: Path) -> Path:
    """A new folder for this process; those of processes that were killed go."""
    for entry in parent.iterdir():
        matched = STATE_FOLDER.fullmatch(entry.name)
        if matched and not Path("/proc", matched[1]).exists():
            LOG.info("removing what an ended LocalStack left behind: %s", entry)
            remove_tree(entry)
    state_dir = Path(tempfile.mkdtemp(prefix=f"lambda-process-{os.getpid()}-", dir=parent))
    state_dir.chmod(PASS_THROUGH)
    return state_dir
