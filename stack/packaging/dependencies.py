"""Stage 1: what a function imports from others, exactly as its lock says, hash by hash."""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack.packaging import archive
from stack.packaging.bytecode import compile_folder
from stack.packaging.code import ROOT
from stack.packaging.errors import PackagingError

CHALICE_LOCK: Final = ROOT / "requirements" / "app.txt"
CHALICE_RUNTIME: Final = ("chalice/__init__.py", "chalice/app.py")
"""All of Chalice that runs in Lambda; the rest deploys, and would bring botocore and 77 MB with it."""
UNUSED: Final = (
    "bin",
    "prompt_toolkit*",
    "wcwidth*",
    "click_repl*",  # these four serve Celery's command line only
    "**/tests",
    "**/*.pyi",
    "**/__pycache__",
    "*.dist-info/RECORD",  # names the files above
)
LOCKED: Final = re.compile(r"^chalice==\S+ \\\n(?:    --hash=\S+(?: \\)?\n)+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Layer:
    """A function's dependencies, as a folder and as a zip of it."""

    folder: Path
    zip: Path


def layer(name: str, platform: str | None, build: Path) -> Layer:
    """Give a function's dependencies, made when they are not there yet.

    Raises:
        PackagingError: uv is missing or refused the lock.
    """
    lock = ROOT / "requirements" / f"function-{name}.txt"
    home = build / "dependencies" / f"{name}-{_digest(lock, platform)}"
    if not home.exists():
        _make(lock, platform, home)
    return Layer(home / "files", home / "files.zip")


def _make(lock: Path, platform: str | None, home: Path) -> None:
    """Work in a scratch folder and rename it, so that a broken or second run leaves nothing half-made."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=home.parent) as scratch:
        made = Path(scratch) / "layer"
        files = made / "files"
        _install(lock, files, platform)
        _add_chalice(Path(scratch), files, platform)
        for unused in [path for pattern in UNUSED for path in files.glob(pattern)]:
            shutil.rmtree(unused) if unused.is_dir() else unused.unlink(missing_ok=True)
        compile_folder(files, [files])
        archive.write(files, made / "files.zip")
        if not home.exists():
            made.rename(home)


def _add_chalice(scratch: Path, files: Path, platform: str | None) -> None:
    lock = scratch / "chalice.txt"
    lock.write_text(_chalice_lock())
    whole = scratch / "chalice"
    _install(lock, whole, platform)
    (files / "chalice").mkdir()
    for module in CHALICE_RUNTIME:
        shutil.copyfile(whole / module, files / module)
    for licence in whole.glob("chalice-*.dist-info/**/LICENSE*"):
        shutil.copyfile(licence, files / "chalice" / licence.name)


def _chalice_lock() -> str:
    locked = LOCKED.search(CHALICE_LOCK.read_text())
    if locked is None:
        raise PackagingError(f"{CHALICE_LOCK.name} does not lock chalice: run make -C requirements")
    return locked.group()


def _install(lock: Path, target: Path, platform: str | None) -> None:
    command = [_uv(), "pip", "install", "--quiet", "--target", str(target), "--requirements", str(lock)]
    command += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--link-mode", "copy"]
    command += ["--python", sys.executable, "--python-version", "3.13"]
    command += ["--python-platform", platform] if platform else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackagingError(f"uv could not install {lock.name}: {done.stderr.strip()}")


def _uv() -> str:
    """Find uv: the project's own, then beside this Python, then on the path."""
    places = (ROOT / ".venvs" / "tools" / "bin" / "uv", Path(sys.executable).with_name("uv"))
    found = next((str(place) for place in places if place.is_file()), None) or shutil.which("uv")
    if found is None:
        raise PackagingError("uv was not found: install it, it makes the functions' packages")
    return found


def _digest(lock: Path, platform: str | None) -> str:
    """Name all that decides what is in a layer: locks, platform, Python, and this package's own rules."""
    digest = hashlib.sha256(f"{platform or sys.platform}\0{sys.version}\0{_chalice_lock()}".encode())
    for source in (lock, *_own_sources()):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _own_sources() -> Iterator[Path]:
    yield from (Path(__file__).with_name(f"{stage}.py") for stage in ("dependencies", "bytecode", "archive"))
