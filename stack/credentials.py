"""Passwords of the parts: generated once a stack, kept in one file that only its owner reads."""

import fcntl
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

PASSWORD_BYTES = 24
OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class Credentials:
    """One password a role; safe in URLs, never in a command line."""

    postgres: str
    celery_user: str
    functions_user: str
    worker_user: str
    readonly_user: str
    exporter_user: str
    flower: str
    redis: str
    grafana_admin: str
    grafana_secret_key: str


def lock_of(path: Path) -> Path:
    """Return the file that is locked while passwords are read or generated; it is made before them."""
    return path.with_suffix(".lock")


def load_or_create(path: Path) -> Credentials:
    """Return the stack's passwords; those that the file lacks are generated and written back.

    Two that begin at once agree: parts would get the passwords of one, and the file keep those of the other.
    """
    with lock_of(path).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        return _completed(path)


def _completed(path: Path) -> Credentials:
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    names = [field.name for field in fields(Credentials)]
    credentials = Credentials(
        **{name: known.get(name) or secrets.token_urlsafe(PASSWORD_BYTES) for name in names}
    )
    if asdict(credentials) != known:
        _write(path, asdict(credentials))
    return credentials


def _write(path: Path, content: dict[str, str]) -> None:
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=2)
    draft.replace(path)
