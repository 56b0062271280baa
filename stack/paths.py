"""Where a stack keeps its things: one folder for all of it, and what lies where in it."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from stack.credentials import lock_of
from stack.errors import StackError
from stack.settings import ROOT, Settings

PRIVATE = 0o700
ENTERABLE = 0o711
OTHERS_MAY_ENTER = 0o001


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders and files of one stack; all absolute."""

    state: Path
    """Everything of this stack."""
    shared: Path
    """What other system users must be able to enter: `state` itself, unless a parent is closed to them."""

    @property
    def logs(self) -> Path:
        """One log file a part."""
        return self.state / "logs"

    @property
    def run(self) -> Path:
        """Sockets, process ids and locks."""
        return self.state / "run"

    @property
    def rendered(self) -> Path:
        """Configuration as the parts read it; holds passwords."""
        return self.state / "rendered"

    @property
    def build(self) -> Path:
        """Packaged functions and the packaged template."""
        return self.state / "build"

    @property
    def models(self) -> Path:
        """Trained models: `<name>/<version>/`."""
        return self.state / "models"

    @property
    def credentials(self) -> Path:
        """Generated passwords."""
        return self.state / "credentials.json"

    @property
    def deployed(self) -> Path:
        """Written when the functions are deployed, removed when LocalStack starts; Nginx looks for it."""
        return self.shared / "deployed" / "current.json"

    @property
    def localstack_run(self) -> Path:
        """Written by each start of LocalStack: which of its runs this is."""
        return self.run / "localstack.run"

    @property
    def postgres(self) -> Path:
        """Postgres' own folder: configuration and data."""
        return self.shared / "postgres"

    @property
    def localstack(self) -> Path:
        """LocalStack's file system root."""
        return self.shared / "localstack"

    def log_of(self, part: str) -> Path:
        """Return the log file of a part."""
        return self.logs / f"{part}.log"

    def make(self) -> None:
        """Create the folders; those with secrets are closed to everyone else.

        Raises:
            StackError: one of them is not this stack's.
        """
        self._refuse_what_is_no_stack()
        self.state.mkdir(parents=True, exist_ok=True)
        # First of all: by this the folder is known as a stack's.
        lock_of(self.credentials).touch()
        self.shared.mkdir(exist_ok=True)
        self._refuse_what_another_made()
        for folder in (self.state, self.shared):
            folder.chmod(ENTERABLE)
        for folder in (self.logs, self.run, self.rendered, self.build, self.models):
            folder.mkdir(exist_ok=True)
            folder.chmod(PRIVATE)
        for folder in (self.deployed.parent, self.localstack):
            folder.mkdir(exist_ok=True)
            folder.chmod(ENTERABLE)

    def _refuse_what_is_no_stack(self) -> None:
        """Leave alone a folder with something else in it: `make clean` deletes all that is there."""
        is_checkout = ROOT.is_relative_to(self.state)
        is_ours = self.credentials.exists() or lock_of(self.credentials).exists()
        if is_checkout or (self.state.is_dir() and any(self.state.iterdir()) and not is_ours):
            what = "the checkout" if is_checkout else "something that is no stack"
            reason = f"STATE_DIR is {self.state}, which holds {what}"
            raise StackError("settings", reason, way_out="set STATE_DIR to a folder that is new or empty")

    def _refuse_what_another_made(self) -> None:
        """Its name can be guessed, and everybody may write beside it: hooks in it would run as we do."""
        if self.shared != self.state and self.shared.stat().st_uid != os.geteuid():
            reason = f"{self.shared} belongs to another user"
            raise StackError("settings", reason, way_out="delete that folder, or set STATE_DIR to another")


def paths_of(settings: Settings) -> Paths:
    """Return the folders of the stack with these settings; a relative folder lies in the checkout."""
    state = (ROOT / settings.state_dir).resolve()
    return Paths(state=state, shared=state if _open_to_others(state) else _outside(state))


def _open_to_others(folder: Path) -> bool:
    """Tell whether another system user could enter the folder; only root has other users to care for."""
    if os.geteuid() != 0:
        return True
    return all(parent.stat().st_mode & OTHERS_MAY_ENTER for parent in folder.parents if parent.exists())


def _outside(state: Path) -> Path:
    """Return a folder that everyone may enter, for a checkout that lies under a closed one."""
    return Path("/var/tmp") / f"inference-{hashlib.sha256(str(state).encode()).hexdigest()[:12]}"  # noqa: S108 - owned by root, name bound to the checkout
