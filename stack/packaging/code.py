"""Stage 2: the project's own modules, by a whitelist: what is not named here is in no package."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from stack.packaging.bytecode import compile_folder

ROOT: Final = Path(__file__).resolve().parents[2]
FUNCTIONS: Final = ("predict", "results")
SHARED: Final = (
    "functions/common/inference_api",
    "functions/common/powertools_pushgateway",
    "contract/inference_contract",
)
FAKES: Final = "*_fakes.py"
"""Lie beside the ports that they stand in for, and are for tests only."""


def copy_to(name: str, target: Path) -> None:
    """Copy a function's modules to the top of `target`, the shared packages beside them, and compile all."""
    own = ROOT / "functions" / name
    modules = [path for path in sorted(own.glob("*.py")) if not path.match(FAKES)]
    for module in modules:
        shutil.copyfile(module, target / module.name)
    packages = [ROOT / shared for shared in SHARED]
    for package in packages:
        _copy_package(package, target / package.name)
    compile_folder(target, [target / path.name for path in (*modules, *packages)])


@contextlib.contextmanager
def in_scratch_folder(name: str, build: Path) -> Iterator[Path]:
    """Give a folder that holds a function's own code only, and is gone after the block."""
    build.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-code-", dir=build) as scratch:
        copy_to(name, Path(scratch))
        yield Path(scratch)


def _copy_package(source: Path, target: Path) -> None:
    for module in sorted(source.rglob("*.py")):
        copied = target / module.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(module, copied)
