"""The Postgres cluster of a stack: created once, with scram passwords from its first moment."""

import os
import shutil
import subprocess
from pathlib import Path

from stack.context import Context
from stack.errors import StackError
from stack.rendering import render, write_private

SYSTEM_USER = "postgres"
CONFIGURATION = ("postgresql.conf", "pg_hba.conf")
DEBIAN_INSTALLS = Path("/usr/lib/postgresql")


def postgres_binary(name: str) -> Path:
    """Return one of Postgres' programs: Debian keeps them off the PATH, newest version first.

    Raises:
        StackError: Postgres is not installed.
    """
    versions = sorted(DEBIAN_INSTALLS.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    found = str(versions[-1]) if versions else shutil.which(name)
    if found is None:
        raise StackError("postgres", f"no {name} program found", way_out="install postgresql")
    return Path(found)


def render_configuration(context: Context) -> Path:
    """Render the configuration and return the cluster's folder."""
    home = context.paths.postgres
    home.mkdir(exist_ok=True)
    files = [render(context, f"postgres/{name}.j2", home / name) for name in CONFIGURATION]
    if not context.only_looks:
        _hand_over(home, *files)
    return home


def create_cluster(context: Context) -> None:
    """Create the cluster where there is none.

    Raises:
        StackError: initdb failed; shows its last line.
    """
    home = context.paths.postgres
    if not (home / "data" / "PG_VERSION").exists():
        _create(context, home)


def _create(context: Context, home: Path) -> None:
    shutil.rmtree(home / "data", ignore_errors=True)
    draft = home / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    password_file = home / "initial-password"
    write_private(password_file, context.credentials.postgres)
    _hand_over(home, password_file)
    command = [
        str(postgres_binary("initdb")),
        f"--pgdata={draft}",
        f"--username={SYSTEM_USER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
    ]
    try:
        result = subprocess.run(
            command,
            user=SYSTEM_USER if os.geteuid() == 0 else None,
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        password_file.unlink()
    if result.returncode != 0:
        reason = f"initdb failed: {result.stderr.strip().splitlines()[-1]}"
        raise StackError("postgres", reason, way_out=f"look at {home}, then run make up again")
    draft.rename(home / "data")


def _hand_over(*paths: Path) -> None:
    """Give files to Postgres' system user where the stack runs as root."""
    if os.geteuid() == 0:
        for path in paths:
            shutil.chown(path, SYSTEM_USER, SYSTEM_USER)
