"""`make up`: brings a stack to where its settings and sources say it should be, from any state.

Stages: programs → models → packages → configuration, ports → parts, in order → functions → a first flower.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from stack import deployment
from stack.context import Context
from stack.database import prepare_database
from stack.errors import StackError
from stack.leftovers import end_leftovers
from stack.packages import make_packages
from stack.parts import STORES, NotReadyError, Part, PartFailedError, all_parts
from stack.parts.worker import worker_environment
from stack.ports import refuse_taken_ports
from stack.progress import step
from stack.smoke import send_flower
from stack.supervisor import Supervisor
from stack.system_packages import ensure_programs

FIRST_POLL_S = 0.1
LAST_POLL_S = 0.5
MODELS = ("iris",)


def up(context: Context) -> None:
    """Start or repair the stack, deploy, and prove that it works.

    Raises:
        StackError: something failed; names the part, the reason, its log and the way out.
    """
    with _only_launcher(context):
        with step("system packages") as current:
            ensure_programs(context, current)
        with step("models") as current:
            current.detail = train_models(context)
        with step("packages") as current:
            current.detail = _changed(make_packages(context))
        _start_parts(context)
        with step("deploy") as current:
            current.detail = "deployed" if deployment.deploy(context) else "already deployed"
        with step("first prediction") as current:
            answer = send_flower(context)
            current.detail = f"{answer.label} ({answer.probability:.3f}), task {answer.task_id}"


def train_models(context: Context) -> str:
    """Train the models that are missing; return what the trainings print.

    Raises:
        StackError: a training failed.
    """
    output = []
    for model in MODELS:
        result = subprocess.run(
            [sys.executable, "-m", f"training.{model}", str(context.paths.models)],
            env=os.environ | worker_environment(context),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        log = context.paths.log_of("training")
        log.write_text(result.stdout + result.stderr)
        if result.returncode != 0:
            raise StackError("models", f"training {model} failed", way_out="correct worker/training", log=log)
        output.append(result.stdout.strip().splitlines()[-1])
    return "; ".join(output)


def _start_parts(context: Context) -> None:
    supervisor = Supervisor(context)
    with step("configuration") as current:
        if not supervisor.is_running() and (ended := end_leftovers(context)):
            current.detail = f"ended {ended} processes that an earlier run left; "
        parts = all_parts(context)
        running = {state.name: state.pid for state in supervisor.states() if state.pid}
        refuse_taken_ports(parts, running)
        changed = supervisor.ensure(parts)
        current.detail += _changed([name for name in changed if name in running], verb="restarts")
    # Only the worker has to wait for the schema; LocalStack takes longest, and so starts with the first.
    _start(supervisor, [part for part in parts if not part.needs_schema])
    postgres, *others = parts
    _show_until_well(supervisor, postgres, context)
    with step("migrations"):
        prepare_database(context)
    _start(supervisor, [part for part in parts if part.needs_schema])
    for part in others:
        _show_until_well(supervisor, part, context)


def _start(supervisor: Supervisor, parts: list[Part]) -> None:
    for part in parts:
        part.prepare()
        supervisor.start(part.name)


def _show_until_well(supervisor: Supervisor, part: Part, context: Context) -> None:
    with step(part.name) as current:
        current.detail = _wait_until_well(supervisor, part, context)


def _wait_until_well(supervisor: Supervisor, part: Part, context: Context) -> str:
    def look() -> str:
        state = supervisor.state_of(part.name)
        if state.is_dead:
            raise StackError(
                part.name,
                f"it ended right after its start: {state.reason}",
                way_out="read the log above, correct the cause, then run make up again",
                log=context.paths.log_of(part.name),
            )
        if state.state != "RUNNING":
            raise NotReadyError(f"it is {state.state.lower()}")
        try:
            return part.probe()
        except PartFailedError as error:
            raise StackError(
                part.name,
                str(error),
                way_out="correct what its log names, then run make up again",
                log=context.paths.log_of(error.log),
            ) from error

    retrying = Retrying(
        stop=stop_after_delay(part.startup_deadline_s),
        wait=wait_exponential(min=FIRST_POLL_S, max=LAST_POLL_S),
        retry=retry_if_exception_type(NotReadyError),
    )
    try:
        return retrying(look)
    except RetryError as error:
        raise StackError(
            part.name,
            f"not ready after {part.startup_deadline_s:.0f} s: {error.last_attempt.exception()}",
            way_out="read the log above; make doctor shows what else is wrong",
            log=context.paths.log_of(part.name),
        ) from error


def _changed(names: list[str], verb: str = "changed:") -> str:
    return f"{verb} {', '.join(names)}" if names else "unchanged"


@contextmanager
def _only_launcher(context: Context) -> Iterator[None]:
    with (context.paths.run / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            reason = "another make up, down or clean is at work on this stack"
            raise StackError("launcher", reason, way_out="wait until it is done") from error
        yield


def down(context: Context) -> int:
    """Stop every part; what is stored stays. Returns the number of leftovers that had to be ended."""
    with _only_launcher(context):
        return _stop(context)


def clean(context: Context) -> set[Path]:
    """Stop every part and delete all that is stored, before anybody starts it again. Returns the folders."""
    folders = {context.paths.state, context.paths.shared}
    with _only_launcher(context):
        _stop(context)
        for folder in folders:
            shutil.rmtree(folder)
    return folders


def _stop(context: Context) -> int:
    with step("stop"):
        Supervisor(context).shut_down(last=STORES)
    context.paths.deployed.unlink(missing_ok=True)
    return end_leftovers(context)
