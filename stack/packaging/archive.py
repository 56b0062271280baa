"""Stage 3: zips whose bytes depend on their content alone."""

import os
import shutil
import zipfile
from pathlib import Path
from typing import Final

EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can name: real ones would make each zip another."""
READABLE: Final = 0o100644 << 16
EXECUTABLE: Final = 0o100755 << 16
"""Unix modes where a zip keeps them; Lambda's own user must be able to read all."""
LEVEL: Final = 6


def write(folder: Path, target: Path) -> None:
    """Zip a folder's files, in the order of their names."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        _add(archive, folder)


def extend(base: Path, folder: Path, target: Path) -> None:
    """Make `target` from the zip `base` and a folder's files after it, at once."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(f".{os.getpid()}.unfinished")
    shutil.copyfile(base, unfinished)
    with zipfile.ZipFile(unfinished, "a", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        _add(archive, folder)
    unfinished.replace(target)


def _add(archive: zipfile.ZipFile, folder: Path) -> None:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
        entry.external_attr = EXECUTABLE if ".so" in path.suffixes else READABLE
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, path.read_bytes())
