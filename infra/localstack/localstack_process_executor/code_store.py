"""A read-only copy of a version's code and layers that lives as long as anything runs it.

LocalStack removes its own copy when a function is updated or deleted, while on AWS a running invocation ends
on the code it began with. Hard links make the copy cheap; the links keep the files.
"""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

READ_ONLY_FOLDER = 0o555
WRITABLE_FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class CodeFolders:
    """The stand-ins of /var/task and /opt."""

    task: Path
    opt: Path


class CodeStore:
    """Holds code by a version's key and counts who needs it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._users: dict[str, int] = {}
        self._lock = Lock()

    def acquire(self, key: str, code: Path, layers: Sequence[Path], *, live: bool) -> CodeFolders:
        """The folders of that version, made when nobody has them; `live` code stays in place (hot reload)."""
        folder = self._root / key
        with self._lock:
            if not self._users.get(key):
                _build(folder, code, layers, live=live)
            self._users[key] = self._users.get(key, 0) + 1
        return CodeFolders(code if live else folder / "task", folder / "opt")

    def release(self, key: str) -> None:
        """One user less; with the last one the copy goes."""
        with self._lock:
            left = self._users.get(key, 0) - 1
            if left > 0:
                self._users[key] = left
                return
            self._users.pop(key, None)
            remove_tree(self._root / key)


def remove_tree(root: Path) -> None:
    """Delete a folder with code in it: in a read-only folder only root may delete."""
    with contextlib.suppress(OSError):  # another user's, or gone meanwhile
        for folder, _, _ in os.walk(root):
            Path(folder).chmod(WRITABLE_FOLDER)
    shutil.rmtree(root, ignore_errors=True)


def _build(folder: Path, code: Path, layers: Sequence[Path], *, live: bool) -> None:
    remove_tree(folder)
    opt = folder / "opt"
    opt.mkdir(parents=True)
    for layer in layers:
        _link_tree(layer, opt)
    _close(opt)
    if not live:
        (folder / "task").mkdir()
        _link_tree(code, folder / "task")
        _close(folder / "task")


def _link_tree(source: Path, target: Path) -> None:
    """Put every file of `source` under `target`, over what an earlier layer put there."""
    for parent, _, names in os.walk(source):
        inside = target / Path(parent).relative_to(source)
        inside.mkdir(exist_ok=True)
        for name in names:
            (inside / name).unlink(missing_ok=True)
            _link(Path(parent) / name, inside / name)


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK}:
            raise
        shutil.copy2(source, target, follow_symlinks=False)


def _close(folder: Path) -> None:
    """Nobody writes here: AWS's /var/task and /opt are read-only."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(parent) / name
            if not path.is_symlink():
                path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222 | 0o444)
        Path(parent).chmod(READ_ONLY_FOLDER)
