"""Which worker this is and how many processes it has: known once Celery has read its command line."""

import os
from dataclasses import dataclass, field


@dataclass(slots=True)
class WorkerPool:
    """Filled in by the main process before it forks; its children inherit it."""

    name: str = field(default_factory=lambda: os.uname().nodename)
    processes: int = 1

    @property
    def process(self) -> str:
        """Name of this one process: the pool's name, a slash and the process id."""
        return f"{self.name}/{os.getpid()}"
