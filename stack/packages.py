"""The packaged functions of a stack: zips in its build folder, named by their content when uploaded."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from stack.context import Context
from stack.errors import StackError
from stack.packaging import zip_function
from stack.packaging.errors import PackagingError

FUNCTIONS = {"predict": "PredictFunction", "results": "ResultsFunction"}
"""Each function's folder under `functions/`, and its name in the template."""


@dataclass(frozen=True, slots=True)
class Package:
    """A packaged function: `name` is its folder's, `logical_id` its name in the template."""

    name: str
    logical_id: str
    archive: Path
    digest: str

    @property
    def key(self) -> str:
        """Name in the bucket; the same content has the same name."""
        return f"{self.name}-{self.digest}.zip"


def make_packages(context: Context) -> list[str]:
    """Package both functions into the stack's build folder.

    Returns:
        names of the functions whose package changed.

    Raises:
        StackError: the dependencies could not be installed.
    """
    changed = []
    for name in FUNCTIONS:
        archive = _archive(context, name)
        before = _digest(archive) if archive.exists() else None
        try:
            zip_function(name, archive)
        except PackagingError as error:
            raise StackError("packages", str(error), way_out="make deploy, once that is mended") from error
        if _digest(archive) != before:
            changed.append(name)
    return changed


def made_packages(context: Context) -> list[Package]:
    """Return what was packaged last.

    Raises:
        FileNotFoundError: nothing has been packaged yet.
    """
    archives = {name: _archive(context, name) for name in FUNCTIONS}
    return [Package(name, FUNCTIONS[name], archive, _digest(archive)) for name, archive in archives.items()]


def _archive(context: Context, name: str) -> Path:
    return context.paths.build / f"{name}.zip"


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
