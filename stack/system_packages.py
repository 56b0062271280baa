"""The programs that no Python package brings: found, installed by apt, or named with the way to get them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stack.context import Context
from stack.errors import StackError
from stack.postgres_cluster import postgres_binary
from stack.progress import Step

NO_AUTOSTART = Path("/usr/sbin/policy-rc.d")
"""Debian asks this script whether an installed service may start; ours run under the stack's supervisor."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program and the package that brings it."""

    name: str
    apt: str
    brew: str | None

    def path(self) -> Path | None:
        """Return where the program is, or None."""
        if self.name == "postgres":
            try:
                return postgres_binary(self.name)
            except StackError:
                return None
        found = shutil.which(self.name, path=search_path())
        return Path(found) if found else None


PROGRAMS = (
    Program("postgres", apt="postgresql", brew="postgresql@15"),
    Program("psql", apt="postgresql-client", brew="postgresql@15"),
    Program("redis-server", apt="redis-server", brew="redis"),
    Program("nginx", apt="nginx", brew="nginx"),
    Program("prometheus", apt="prometheus", brew="prometheus"),
    Program("prometheus-pushgateway", apt="prometheus-pushgateway", brew=None),
    Program("prometheus-postgres-exporter", apt="prometheus-postgres-exporter", brew=None),
    Program("prometheus-alertmanager", apt="prometheus-alertmanager", brew=None),
    Program("prometheus-node-exporter", apt="prometheus-node-exporter", brew=None),
    Program("prometheus-nginx-exporter", apt="prometheus-nginx-exporter", brew=None),
    Program("prometheus-redis-exporter", apt="prometheus-redis-exporter", brew=None),
    Program("mtail", apt="mtail", brew="mtail"),
)
TEST_PROGRAMS = (
    Program("chromium", apt="chromium", brew=None),
    Program("chromedriver", apt="chromium-driver", brew=None),
)
"""What only the suite needs: a browser for the pages."""


def search_path() -> str:
    """Return PATH with the folder of Debian's nginx, which is on root's own only."""
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def ensure_programs(context: Context, step: Step, programs: tuple[Program, ...] = PROGRAMS) -> None:
    """Install what is missing where that is possible.

    Raises:
        StackError: something is missing and cannot be installed from here; says what to type.
    """
    missing = [program for program in programs if program.path() is None]
    if not missing:
        step.detail = f"{len(programs)} found"
        return
    command = _apt_command()
    if command is None or not context.settings.install_packages:
        names = ", ".join(program.name for program in missing)
        raise StackError("system packages", f"not installed: {names}", way_out=_what_to_type(missing))
    packages = [program.apt for program in missing]
    step.name = f"apt-get install {' '.join(packages)}"
    _install(command, packages, context.paths.log_of("apt"), missing)
    step.detail = f"installed {', '.join(packages)}"


def _apt_command() -> list[str] | None:
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return ["apt-get"]
    if shutil.which("sudo") is None:
        return None
    # Without a terminal nobody can type a password: then only a sudo that asks for none will do.
    probe = ["sudo", "true"] if sys.stdin.isatty() else ["sudo", "-n", "true"]
    allowed = subprocess.run(probe, check=False)
    return ["sudo", "apt-get"] if allowed.returncode == 0 else None


def _what_to_type(missing: list[Program]) -> str:
    if sys.platform == "darwin":
        names = sorted({program.brew for program in missing if program.brew})
        by_hand = [program.name for program in missing if program.brew is None]
        by_hand_note = f"; put {', '.join(by_hand)} on the PATH from its releases" if by_hand else ""
        return f"brew install {' '.join(names)}{by_hand_note}"
    return f"sudo apt-get install {' '.join(sorted({program.apt for program in missing}))}"


def _install(command: list[str], packages: list[str], log: Path, missing: list[Program]) -> None:
    with _services_kept_down(), log.open("w") as output:
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            result = subprocess.run(
                [*command, *arguments],
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
            if result.returncode != 0:
                reason = f"apt-get {arguments[0]} failed with exit code {result.returncode}"
                raise StackError("system packages", reason, way_out=_what_to_type(missing), log=log)


@contextmanager
def _services_kept_down() -> Iterator[None]:
    """Keep apt from starting the installed services beside ours; only root can say so."""
    if os.geteuid() != 0 or NO_AUTOSTART.exists():
        yield
        return
    NO_AUTOSTART.write_text("#!/bin/sh\nexit 101\n")
    NO_AUTOSTART.chmod(0o755)
    try:
        yield
    finally:
        NO_AUTOSTART.unlink()
