"""The status page that Nginx serves: its files, the runbooks, and the few queries it may ask Prometheus."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from ruamel.yaml import YAML

from stack.rendering import TEMPLATES
from stack.settings import ROOT

SOURCE: Final = TEMPLATES / "nginx" / "status"
PAGE: Final = SOURCE / "page"
RUNBOOKS: Final = ROOT / "docs" / "runbooks"
INDEX: Final = "index.html"
CONTENT_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
READABLE: Final = 0o644
ENTERABLE: Final = 0o755
REQUESTS_PER_S: Final = 10
BURST: Final = 60
"""A page asks 13 queries every 5 s: for three at once, each with a reload."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query of Prometheus; its text is fixed here, and only a window may vary."""

    name: str
    promql: str
    over_a_window: bool

    @property
    def encoded(self) -> str:
        """The query as it stands in an address: nothing in it means anything to Nginx."""
        return quote(self.promql, safe="")


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page, by its path below /status/."""

    path: str
    content_type: str


@dataclass(frozen=True, slots=True)
class StatusPage:
    """What Nginx' configuration has to know."""

    folder: Path
    files: tuple[PageFile, ...]
    queries: tuple[Query, ...]
    requests_per_s: int = REQUESTS_PER_S
    burst: int = BURST


def read_queries(file: Path = SOURCE / "queries.yml") -> tuple[Query, ...]:
    """Read the queries that the page may ask."""
    content = YAML(typ="safe").load(file)
    return tuple(
        Query(name, " ".join(promql.split()), over_a_window=kind == "window")
        for kind in ("window", "now")
        for name, promql in content[kind].items()
    )


def publish(folder: Path) -> StatusPage:
    """Put page and runbooks where Nginx' workers may read them; unchanged files stay."""
    content = {path.relative_to(PAGE): path.read_bytes() for path in PAGE.rglob("*") if path.is_file()}
    content |= {Path("runbooks", path.name): path.read_bytes() for path in RUNBOOKS.glob("*.md")}
    for name, wanted in content.items():
        _put(folder / name, wanted)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path.relative_to(folder) not in content:
            path.unlink()
    for path in (folder, *folder.rglob("*")):
        path.chmod(ENTERABLE if path.is_dir() else READABLE)
    served = sorted(name for name in content if name.suffix in CONTENT_TYPES)
    files = tuple(PageFile(str(name), CONTENT_TYPES[name.suffix]) for name in served)
    return StatusPage(folder, files, read_queries())


def _put(target: Path, content: bytes) -> None:
    if target.is_file() and target.read_bytes() == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.new")
    draft.write_bytes(content)
    draft.replace(target)
