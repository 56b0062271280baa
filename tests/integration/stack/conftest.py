"""A stack's context in a folder of its own, for parts that are tested without the rest of the stack."""

from collections.abc import Iterator

import pytest

from stack.context import Context
from stack.credentials import load_or_create
from stack.paths import paths_of
from stack.settings import Settings
from tests.integration.parts import temporary_folder
from tests.whole_stack import PORTS, free_ports


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    """Free ports, generated passwords, and nothing started."""
    with temporary_folder() as folder:
        for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True):
            monkeypatch.setenv(name, str(port))
        monkeypatch.setenv("STATE_DIR", str(folder))
        monkeypatch.delenv("GRAFANA_HOME", raising=False)
        # Nginx' workers, where it starts as root, have to come in.
        folder.chmod(0o711)
        settings = Settings()
        paths = paths_of(settings)
        paths.make()
        yield Context(settings=settings, paths=paths, credentials=load_or_create(paths.credentials))
