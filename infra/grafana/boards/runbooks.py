"""The runbooks of docs/runbooks, where one is when an alert fires: in Grafana."""

import re
from pathlib import Path
from typing import Final

from boards.board import Board
from boards.panels import HALF, note

FOLDER: Final = Path(__file__).resolve().parents[3] / "docs" / "runbooks"
HEIGHT: Final = 18


def board() -> Board:
    """Describe it: one panel an alert, by name."""
    return Board(
        uid="runbooks",
        title="Runbooks",
        description="What to do about each alert; the same texts as in docs/runbooks.",
        content=[
            note(path.stem, _text(path.read_text()), height=HEIGHT, span=HALF)
            for path in sorted(FOLDER.glob("*.md"))
        ],
    )


def _text(markdown: str) -> str:
    """Leave out the title, which the panel has, and links to the other files, which are on this page."""
    body = markdown.split("\n", maxsplit=1)[1].strip()
    return re.sub(r"\[(\w+)\]\(\w+\.md\)", r"**\1**", body)
