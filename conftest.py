"""How `make test` shares the suite out: whole stacks one after another in one process, all else in the other.

A whole stack takes both cores at its start and then mostly waits: for a scrape, an alert, a part's return.
"""

from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
OF_ONE_PROCESS = {
    ROOT / "tests" / "e2e": "stacks",
    ROOT / "tests" / "faults": "stacks",
    ROOT / "infra" / "localstack" / "tests": "localstack",
}
"""Folders whose tests share what takes long to start; elsewhere a file's tests do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell pytest-xdist which tests belong together; without it nothing changes."""
    for item in items:
        group = OF_ONE_PROCESS.get(item.path.parent, str(item.path.relative_to(ROOT)))
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make what a test logged fit for the way between the processes: it may be no valid Unicode."""
    report = yield
    report.sections = [(title, text.encode(errors="replace").decode()) for title, text in report.sections]
    return report
