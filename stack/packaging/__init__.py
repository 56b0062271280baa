"""Makes what Lambda runs, for SAM and for the local deploy alike (ADR 0004).

Its stages:

1. `dependencies`: install the function's lock and Chalice's two runtime modules, drop what no function needs,
   compile to bytecode, zip; kept under the digest of all that went in.
2. `code`: the function's own modules and the shared packages, compiled; cheap, so made anew each time.
3. `archive`: append the code to a copy of the dependencies' zip; same input, same bytes.
"""

import shutil
from pathlib import Path
from typing import Final

from stack.packaging import archive, code, dependencies
from stack.packaging.code import FUNCTIONS, ROOT

__all__ = ["FUNCTIONS", "LAMBDA_PLATFORM", "build_function", "zip_function"]

BUILD: Final = ROOT / "build" / "functions"
LAMBDA_PLATFORM: Final = "x86_64-manylinux_2_34"
"""What AWS's python3.13 runtime is: Amazon Linux 2023, glibc 2.34."""


def build_function(
    name: str, target: Path | None = None, *, platform: str | None = None, build: Path = BUILD
) -> Path:
    """Fill a folder with all that one function runs from; what was in it before is gone.

    Args:
        name: one of `FUNCTIONS`.
        target: the folder, `build/<name>` where not given.
        platform: as in `uv --python-platform`; this machine's where not given.
        build: keeps the dependencies between calls.

    Raises:
        PackagingError: the dependencies could not be installed, or this is not Python 3.13.
    """
    target = target or build / name
    layer = dependencies.layer(name, platform, build)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(layer.folder, target)
    code.copy_to(name, target)
    return target


def zip_function(
    name: str, target: Path | None = None, *, platform: str | None = None, build: Path = BUILD
) -> Path:
    """Make the zip that is uploaded: the same bytes for the same sources, locks and Python.

    Args:
        name: one of `FUNCTIONS`.
        target: the zip, `build/<name>.zip` where not given; it is replaced at once, never half-written.
        platform: as in `build_function`.
        build: as in `build_function`.

    Raises:
        PackagingError: as in `build_function`.
    """
    target = target or build / f"{name}.zip"
    layer = dependencies.layer(name, platform, build)
    with code.in_scratch_folder(name, build) as folder:
        archive.extend(layer.zip, folder, target)
    return target
