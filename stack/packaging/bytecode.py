"""Bytecode that stays valid in a zip: uncompiled, a cold start takes three times as long."""

import compileall
import sys
from collections.abc import Iterable
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Final

from stack.packaging.errors import PackagingError

LAMBDA_PYTHON: Final = (3, 13)


def compile_folder(root: Path, paths: Iterable[Path]) -> None:
    """Compile modules and packages under `root`.

    Unchecked hashes, not time stamps: a zip changes times, and read-only code must not be compiled again.
    Paths stay out of the bytecode (the import sets the real one): the same source gives the same bytes.

    Raises:
        PackagingError: this Python's bytecode is not what Lambda's reads.
    """
    if sys.version_info[:2] != LAMBDA_PYTHON:
        raise PackagingError("functions are compiled for Python 3.13: run this with python3.13")
    for path in paths:
        compiled = compileall.compile_dir if path.is_dir() else compileall.compile_file
        compiled(
            path,
            quiet=2,
            force=True,
            stripdir=str(root),
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        )
