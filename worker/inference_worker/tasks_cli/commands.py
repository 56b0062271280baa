"""The verbs: each asks the book and prints; what goes wrong is one line on standard error and an exit code.

Exit codes: 0 done, 1 refused (unknown task, wrong state), 2 wrong usage, 3 Postgres does not answer.
"""

import re
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import typer
from inference_contract.job import JobStatus
from rich.console import Console

from inference_worker.errors import StoreUnavailableError
from inference_worker.tasks_cli import rendering
from inference_worker.tasks_cli.task_book import Filters, TaskBook, TaskCommandError

REFUSED: Final = 1
UNAVAILABLE: Final = 3
LIMIT_MAX: Final = 10_000
PLAIN_WIDTH: Final = 200
SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
DURATION: Final = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([smhd])")

type OpenBook = Callable[[], TaskBook]
"""Makes the book once a command runs, so that `--help` needs no environment."""


def duration_s(text: str) -> float:
    """Read `30s`, `10m`, `1.5h` or `7d` as seconds."""
    found = DURATION.fullmatch(text.strip())
    if not found:
        raise typer.BadParameter(f"{text!r} is no duration like 30s, 10m, 1.5h or 7d")
    return float(found[1]) * SECONDS[found[2]]


def task_id(text: str) -> str:
    """Read a task id in any of a UUID's spellings."""
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no task id: a UUID is expected") from error


Json = Annotated[bool, typer.Option("--json", help="For machines: JSON instead of a table.")]
Id = Annotated[str, typer.Argument(metavar="ID", parser=task_id)]


def create_cli(open_book: OpenBook) -> typer.Typer:
    """Make the command line over a book."""
    cli = typer.Typer(
        no_args_is_help=True, add_completion=False, help="Look at tasks, and change their fate."
    )
    _add_reading(cli, open_book)
    _add_requeue(cli, open_book)
    _add_cancel(cli, open_book)
    return cli


def _add_reading(cli: typer.Typer, open_book: OpenBook) -> None:
    @cli.command("list")
    def list_tasks(  # noqa: PLR0913 (one parameter a filter)
        *,
        status: Annotated[JobStatus | None, typer.Option(help="Only tasks in this state.")] = None,
        model: Annotated[str | None, typer.Option(help="Only tasks of this model.")] = None,
        caller: Annotated[str | None, typer.Option(help="Only tasks of this caller.")] = None,
        since: Annotated[
            float | None, typer.Option(parser=duration_s, metavar="DURATION", help="Such as 10m or 7d.")
        ] = None,
        limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX)] = 20,
        as_json: Json = False,
    ) -> None:
        """List tasks, newest first."""
        with _told():
            tasks = open_book().list(Filters(status.value if status else None, model, caller, since, limit))
            if as_json:
                typer.echo(rendering.as_json(tasks))
            else:
                rendering.print_tasks(_console(), tasks)

    @cli.command()
    def show(identifier: Id, *, as_json: Json = False) -> None:
        """Show one task with its story."""
        with _told():
            details = open_book().show(identifier)
            if as_json:
                typer.echo(rendering.as_json(details))
            else:
                rendering.print_details(_console(), details)


def _add_requeue(cli: typer.Typer, open_book: OpenBook) -> None:
    @cli.command()
    def requeue(
        identifier: Annotated[str | None, typer.Argument(metavar="[ID]", parser=task_id)] = None,
        *,
        all_failed: Annotated[bool, typer.Option("--all-failed", help="Every failed task.")] = False,
        model: Annotated[str | None, typer.Option(help="With --all-failed: only this model's.")] = None,
    ) -> None:
        """Queue a failed task, or all of them, again: each gets as many attempts as a new one."""
        if (identifier is None) != all_failed or (model and not all_failed):
            raise typer.BadParameter("give either one ID, or --all-failed with or without --model")
        with _told():
            if identifier is not None:
                open_book().requeue(identifier)
                typer.echo(f"task {identifier} is queued")
            else:
                typer.echo(f"queued again: {open_book().requeue_failed(model)}")


def _add_cancel(cli: typer.Typer, open_book: OpenBook) -> None:
    @cli.command()
    def cancel(identifier: Id) -> None:
        """Cancel a task that is queued or running; a result that comes later is dropped."""
        with _told():
            open_book().cancel(identifier)
            typer.echo(f"task {identifier} is cancelled")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except TaskCommandError as error:
        typer.echo(f"tasks: {error}", err=True)
        raise typer.Exit(REFUSED) from error
    except StoreUnavailableError as error:
        typer.echo(f"tasks: {error}", err=True)
        raise typer.Exit(UNAVAILABLE) from error


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)
