"""The runbooks of docs/runbooks, where one is when an alert fires: in Grafana, a page an alert."""

import re
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders import table

from boards.board import Board
from boards.panels import directory, listing, note
from boards.queries import Query

FOLDER: Final = Path(__file__).resolve().parents[3] / "docs" / "runbooks"
TAG: Final = "runbook"
LIST_HEIGHT: Final = 24
TEXT_HEIGHT: Final = 26


def board() -> Board:
    """Describe the page that leads to all of them."""
    return Board(
        uid="runbooks",
        title="Runbooks",
        description="What to do about each alert; the same texts as in docs/runbooks.",
        content=[
            firing_alerts(),
            directory("Runbooks", "One page an alert.", tag=TAG, height=LIST_HEIGHT),
        ],
    )


def pages() -> list[Board]:
    """Describe them: one page an alert."""
    return [_page(path) for path in sorted(FOLDER.glob("*.md"))]


def firing_alerts() -> table.Panel:
    """List what fires; each name leads to its runbook."""
    return listing(
        "Firing alerts",
        "What is wrong now. A name leads to its runbook; nothing here means nothing known.",
        Query('ALERTS{alertstate="firing"}', at_once=True, as_table=True),
        links={"alertname": _address("${__value.raw}")},
        hidden=("Time", "Value", "__name__", "alertstate", "symptom"),
        height=6,
    )


def _page(path: Path) -> Board:
    alert = path.stem
    return Board(
        uid=f"runbook-{alert}",
        title=f"Runbook: {alert}",
        description=f"What to do about {alert}; the same text as in docs/runbooks.",
        content=[note(alert, _text(path.read_text()), height=TEXT_HEIGHT)],
        tag=TAG,
        file=f"runbooks/{alert}",
    )


def _text(markdown: str) -> str:
    """Leave out the title, which the panel has, and lead to the other pages by their addresses."""
    body = markdown.split("\n", maxsplit=1)[1].strip()
    return re.sub(r"\]\((\w+)\.md\)", lambda link: f"]({_address(link[1])})", body)


def _address(alert: str) -> str:
    return f"/d/runbook-{alert}"
