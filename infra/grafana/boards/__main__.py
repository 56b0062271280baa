"""Writes every dashboard, or with --check says which file is not what the code would write."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from boards import functions, models, overview, parts, runbooks, task, workers
from boards.board import Board

FOLDER: Final = Path(__file__).resolve().parent.parent / "dashboards"


def all_boards() -> list[Board]:
    """Describe every dashboard, in the order in which one looks at them."""
    modules = (overview, workers, functions, models, parts, task, runbooks)
    return [*(module.board() for module in modules), *runbooks.pages()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files; with --check change nothing and return 1 where one differs or is left over."""
    parser = argparse.ArgumentParser(prog="python -m boards", description=main.__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args(arguments).check
    wanted = {FOLDER / f"{board.file or board.uid}.json": _json(board) for board in all_boards()}
    present = {path: path.read_text() for path in FOLDER.rglob("*.json")}
    if check:
        differing = sorted(path.name for path, _ in wanted.items() ^ present.items())
        if differing:
            sys.stderr.write(
                f"not what the code writes: {', '.join(dict.fromkeys(differing))}; make dashboards\n"
            )
        return 1 if differing else 0
    for path, text in wanted.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    for path in present.keys() - wanted.keys():
        path.unlink()
    return 0


def _json(board: Board) -> str:
    # Light or dark is the reader's choice; the SDK would write "dark".
    content = {name: value for name, value in board.build().to_json().items() if name != "style"}
    return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(content) + "\n"


if __name__ == "__main__":
    sys.exit(main())
