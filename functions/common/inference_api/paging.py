"""One page of a caller's jobs: which are asked for, and what is found."""

from dataclasses import dataclass
from datetime import datetime

from inference_contract.job import Job, JobStatus


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the order of a list: newest first, and by id where two have one time."""

    submitted_at: datetime
    task_id: str


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for; `None` means any, or from the newest on."""

    limit: int
    status: JobStatus | None = None
    model_name: str | None = None
    after: Position | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The jobs of one page; `more` says that others follow the last one."""

    jobs: tuple[Job, ...]
    more: bool
