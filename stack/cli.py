"""The launcher's verbs. Each ends with exit code 0, or with a message that names the part and the way out."""

import os
import shutil
import signal
import sys
import threading
from contextlib import suppress
from typing import Annotated

import typer
from rich.text import Text

from stack import deployment, start
from stack.context import DATABASE, LOOPBACK, OWNER, Context, load_context
from stack.doctor import examine
from stack.errors import StackError
from stack.logs.files import parts_with_logs
from stack.logs.follow import Follower
from stack.logs.search import checked_id, stored_request, way_of
from stack.logs.view import show
from stack.packages import make_packages
from stack.parts import NotReadyError, PartFailedError, all_parts
from stack.parts.grafana import HOW_TO_GET_IT, grafana_program
from stack.parts.worker import worker_environment
from stack.progress import console, show_error, step
from stack.supervisor import Supervisor
from stack.system_packages import PROGRAMS, TEST_PROGRAMS, ensure_programs

RECENT_LINES = 40
LOOK_EVERY_S = 0.25
ROW = "{:<20} {:<9} {:>7} {:>9}  {}"
"""Of `make status`: as wide as the longest name of a part."""
INTERRUPTED = 130
"""Exit code that shells give a process which Ctrl-C ended."""
app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def up() -> None:
    """Start or repair everything, deploy, and send one flower through."""
    context = load_context()
    start.up(context)
    _show_addresses(context)


@app.command()
def down() -> None:
    """Stop everything; what is stored stays."""
    start.down(load_context())


@app.command()
def status() -> None:
    """Show one line a part; exit code 1 when one is not well."""
    context = load_context(only_looks=True)
    states = {state.name: state for state in Supervisor(context).states()}
    console.print(ROW.format("part", "state", "pid", "up", "says"), style="bold")
    well = True
    for part in all_parts(context):
        state = states.get(part.name)
        if state is None or not state.pid:
            well = False
            reason = state.reason if state else "the stack is down: make up"
            _show_row(part.name, state.state if state else "DOWN", "", "", reason)
            continue
        try:
            says, style = part.probe(), ""
        except (NotReadyError, PartFailedError) as error:
            well, says, style = False, str(error), "red"
        _show_row(part.name, state.state, str(state.pid), f"{state.uptime_s} s", says, style=style)
    if grafana_program(context.settings) is None:
        _show_row("grafana", "NONE", "", "", HOW_TO_GET_IT)
    raise typer.Exit(0 if well else 1)


def _show_row(*words: str, style: str = "") -> None:
    """Print one line, however wide: a program that reads it sees a part a line."""
    console.print(Text(" ".join(ROW.format(*words).splitlines()), style))


@app.command()
def logs(
    part: Annotated[str | None, typer.Argument(help="one part's log; all without it")] = None,
    task_id: Annotated[str | None, typer.Option("--id", help="one task's way through all parts")] = None,
    follow: Annotated[bool, typer.Option(help="go on with what is written from now on")] = True,  # noqa: FBT002
) -> None:
    """Show the newest lines of all parts in the order of time, and go on until Ctrl-C."""
    paths = load_context().paths
    known = parts_with_logs(paths.logs)
    if task_id is not None:
        checked = checked_id(task_id)
        for entry in way_of(paths.logs, checked, stored_request(load_context(), checked)):
            show(entry, console)
        return
    if part is not None and part not in known:
        raise StackError("logs", f"no log of {part!r}", way_out=f"one of: {', '.join(known) or 'none yet'}")
    if not known:
        raise StackError("logs", "there are no logs yet", way_out="make up")
    with suppress(KeyboardInterrupt):  # the way to end it: nothing is half done
        _show_as_it_comes(Follower(paths.logs, part), follow=follow)


def _show_as_it_comes(follower: Follower, *, follow: bool) -> None:
    pause = threading.Event()
    entries = follower.look()[-RECENT_LINES:]
    while True:
        for entry in entries:
            show(entry, console)
        if not follow or pause.wait(LOOK_EVERY_S):
            return
        entries = follower.look()


@app.command()
def deploy(
    packaged: Annotated[bool, typer.Option(help="deploy what was packaged last")] = False,  # noqa: FBT002
) -> None:
    """Package the functions and deploy what changed."""
    context = load_context()
    if not packaged:
        with step("packages") as current:
            current.detail = ", ".join(make_packages(context)) or "unchanged"
    with step("deploy") as current:
        current.detail = "deployed" if deployment.deploy(context) else "already deployed"


@app.command()
def psql() -> None:
    """Open psql in the project's database."""
    context = load_context()
    program = shutil.which("psql")
    if program is None:
        raise StackError("psql", "psql is not installed", way_out="install postgresql-client")
    connection = f"host={LOOPBACK} port={context.settings.postgres_port} dbname={DATABASE} user={OWNER}"
    environment = os.environ | {"PGPASSWORD": context.credentials.celery_user}
    os.execvpe(program, ["psql", connection], environment)  # noqa: S606 - no shell in between


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def tasks(words: typer.Context) -> None:
    """List jobs; show, requeue or cancel one: `tasks --help` of the worker says how."""
    environment = os.environ | worker_environment(load_context())
    command = [sys.executable, "-m", "inference_worker.tasks_cli", *(words.args or ["list"])]
    os.execve(sys.executable, command, environment)  # noqa: S606 - no shell in between


@app.command()
def doctor() -> None:
    """Print what is installed, what is loaded, what differs and what is stuck."""
    raise typer.Exit(examine(load_context()))


@app.command()
def clean() -> None:
    """Stop everything and delete the stack's folder with all that is stored."""
    for folder in start.clean(load_context()):
        console.print(f"  deleted {folder}")


@app.command()
def packages(
    tests: Annotated[bool, typer.Option(help="also what only the suite needs")] = False,  # noqa: FBT002
) -> None:
    """Install the system's packages, and nothing else."""
    with step("system packages") as current:
        ensure_programs(load_context(), current, (*PROGRAMS, *TEST_PROGRAMS) if tests else PROGRAMS)


@app.command(hidden=True)
def render() -> None:
    """Write every part's configuration and start nothing: the gate checks what comes out."""
    all_parts(load_context())


def main() -> None:
    """Run a verb; a failure becomes a message, and never a stack trace."""
    # Also where a shell has started us in the background, and told us to ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        app()
    except StackError as error:
        show_error(error)
        sys.exit(1)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            console.print("\n  stopped; make up repairs what is half done, make down stops the rest")
        raise


def _show_addresses(context: Context) -> None:
    settings = context.settings
    has_grafana = grafana_program(settings) is not None
    console.print(f"""
  API          {context.public_url}/predict  /results/{{id}}  /health  /ready
  Status       {context.public_url}/status
  LocalStack   {context.localstack_url}
  Postgres     {LOOPBACK}:{settings.postgres_port}, database {DATABASE}, user {OWNER} (make psql)
  Redis        {LOOPBACK}:{settings.redis_port}
  Prometheus   http://localhost:{settings.prometheus_port}
  Alertmanager http://localhost:{settings.alertmanager_port}
  Grafana      {f"http://localhost:{settings.grafana_port}" if has_grafana else HOW_TO_GET_IT}
  Pushgateway  http://localhost:{settings.pushgateway_port}
  Flower       http://localhost:{settings.flower_port}, user flower
  passwords    {context.paths.credentials}
""")
