"""List a caller's jobs, newest first, a page at a time."""

from dataclasses import dataclass
from typing import Protocol

from inference_api.paging import Page, Position, Selection


class Pages(Protocol):
    """Where jobs are kept."""

    def page(self, caller: str, selection: Selection) -> Page:
        """Read a caller's jobs, newest first."""


@dataclass(frozen=True, slots=True)
class ListJobs:
    """The use case, over its port."""

    jobs: Pages

    def __call__(self, caller: str, selection: Selection) -> tuple[Page, Position | None]:
        """Read a page, and the position that the next one begins after, `None` where there is no next.

        Raises:
            DatabaseUnavailableError: the page cannot be read.
        """
        page = self.jobs.page(caller, selection)
        if not page.more:
            return page, None
        last = page.jobs[-1]
        return page, Position(last.submitted_at, last.task_id)
