"""How an entry is printed: time, part, and a JSON line as its message with the fields that matter."""

from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from stack.logs.entries import NO_TIME, Entry

COLOURS: Final = {
    "nginx": "green",
    "predict": "cyan",
    "results": "blue",
    "worker": "magenta",
    "beat": "bright_magenta",
    "postgres": "yellow",
    "redis": "bright_red",
    "localstack": "bright_blue",
}
OTHERS: Final = "bright_black"
LEVELS: Final = {"WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold red"}
PART_WIDTH: Final = 12
TIME_WIDTH: Final = len("00:00:00.000")
SHOWN_OTHERWISE: Final = ("level", "message", "timestamp", "service", "exception", "stack_trace")
NOISE: Final = (
    "location",
    "logger",
    "cold_start",
    "function_name",
    "function_memory_size",
    "function_arn",
    "xray_trace_id",
)
"""Of use to a query over a file, and in a person's way."""


def show(entry: Entry, console: Console) -> None:
    """Print an entry; colours are the console's to leave out where nobody sees them."""
    # What says no time has one that is before any that a zone can show.
    time = f"{entry.at.astimezone():%H:%M:%S.%f}"[:TIME_WIDTH] if entry.at != NO_TIME else ""
    line = Text.assemble(
        (f"{time:<{TIME_WIDTH}}", "dim"),
        " ",
        (f"{entry.part:<{PART_WIDTH}}", COLOURS.get(entry.part, OTHERS)),
        " ",
    )
    line.append_text(_text(entry))
    console.print(line)


def _text(entry: Entry) -> Text:
    fields = entry.fields
    if not fields:
        return Text(entry.text)
    level = str(fields.get("level", ""))
    rest = {name: fields[name] for name in fields if name not in (*SHOWN_OTHERWISE, *NOISE)}
    words = [level, str(fields.get("message", "")), _pairs(rest)]
    text = Text(" ".join(filter(None, words)), LEVELS.get(level, ""))
    below = (str(fields.get("exception", "")), entry.text.partition("\n")[2])
    for more in filter(None, below):
        text.append(f"\n{more}", "dim")
    return text


def _pairs(fields: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in fields.items() if value not in ("", None))
