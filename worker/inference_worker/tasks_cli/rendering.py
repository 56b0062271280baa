"""Tasks as tables for people and as JSON for machines."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from inference_worker.tasks_cli.task_book import Task, TaskDetails

COLOURS: Final = {
    "queued": "yellow",
    "running": "cyan",
    "succeeded": "green",
    "failed": "red",
    "cancelled": "magenta",
}
VALUES_SHOWN_CHARS: Final = 400


def as_json(value: object) -> str:
    """Write a dataclass, or a tuple of them, with times in ISO 8601."""
    plain = [asdict(item) for item in value] if isinstance(value, tuple) else asdict(value)  # type: ignore[call-overload] # any dataclass
    return json.dumps(plain, default=_text, indent=2)


def print_tasks(console: Console, tasks: tuple[Task, ...]) -> None:
    """Print a line a task, newest first."""
    if not tasks:
        console.print("no tasks")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("task", "status", "model", "caller", "attempts", "submitted", "took", "error"):
        table.add_column(heading, no_wrap=heading != "error", overflow="ellipsis", header_style="bold")
    table.columns[0].overflow = "fold"
    for task in tasks:
        table.add_row(
            task.task_id,
            _status(task.status),
            f"{task.model} {task.version}",
            Text(task.caller),
            str(task.attempts),
            _time(task.submitted_at),
            _seconds(task.submitted_at, task.finished_at),
            Text(task.error or ""),
        )
    console.print(table)


def print_details(console: Console, details: TaskDetails) -> None:
    """Print one task and what happened to it."""
    task = details.task
    grid = Table.grid(padding=(0, 2))
    for name, value in (
        ("task", task.task_id),
        ("status", _status(task.status)),
        ("model", f"{task.model} {task.version}"),
        ("caller", Text(task.caller)),
        ("attempts", _attempts(details)),
        ("request", Text(details.correlation_id or "-")),
        ("worker", Text(details.worker or "-")),
        ("lease until", _time(details.lease_until)),
        ("features", _values(details.features)),
        ("prediction", _values(details.prediction)),
        ("error", Text(task.error or "-")),
    ):
        grid.add_row(Text(name, style="bold"), value)
    console.print(grid)
    console.print()
    console.print(_story(details))


def _story(details: TaskDetails) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("at", "after", "from", "to", "attempt", "who"):
        table.add_column(heading, no_wrap=heading != "who")
    for step in details.story:
        table.add_row(
            _time(step.at),
            _seconds(details.task.submitted_at, step.at),
            step.from_status or "-",
            _status(step.to_status),
            str(step.attempt),
            Text(step.who),
        )
    return table


def _attempts(details: TaskDetails) -> str:
    limit = f" of {details.attempt_limit}" if details.attempt_limit else ""
    return f"{details.task.attempts}{limit}"


def _status(status: str) -> Text:
    return Text(status, style=COLOURS.get(status, ""))


def _time(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z" if at else "-"


def _seconds(begin: datetime, end: datetime | None) -> str:
    return f"{(end - begin).total_seconds():.3f} s" if end else "-"


def _values(values: object) -> Text:
    text = "-" if values is None else json.dumps(values)
    return Text(text if len(text) <= VALUES_SHOWN_CHARS else f"{text[:VALUES_SHOWN_CHARS]}...")


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
