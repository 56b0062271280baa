"""The status page asks fixed questions about metrics that there are; its library is the one written down."""

import hashlib
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from stack.settings import ROOT
from stack.status_page import PAGE, RUNBOOKS, publish, read_queries

VENDOR = PAGE / "vendor"
METRIC = re.compile(r"\b((?:inference|http|lambda)_[a-z_]+?)(?:_bucket)?(?=[{)\[])")


def test_vendored_files_have_the_digests_that_are_written_down() -> None:
    written = dict(re.findall(r"\| `(\S+)` \| `([0-9a-f]{64})` \|", (VENDOR / "README.md").read_text()))
    present = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.iterdir()
        if path.suffix in {".js", ".css"}
    }
    assert present == written


def test_queries_name_metrics_of_the_contract_only() -> None:
    contract = (ROOT / "docs" / "metrics.md").read_text()
    named = {name for query in read_queries() for name in METRIC.findall(query.promql)}
    assert len(named) >= 8
    assert sorted(name for name in named if f"`{name}`" not in contract) == []


def test_query_in_an_address_means_nothing_to_nginx() -> None:
    for query in read_queries():
        assert re.fullmatch(r"[A-Za-z0-9_.%~-]+", query.encoded)
        assert unquote(query.encoded) == query.promql
        assert re.fullmatch(r"[a-z_]+", query.name)


def test_page_asks_for_every_query_and_no_other() -> None:
    asked = set(re.findall(r'query: "(\w+)"', (PAGE / "panels.js").read_text())) | {"alerts"}
    assert asked == {query.name for query in read_queries()}


def test_published_page_is_whole_readable_and_without_what_was_removed(tmp_path: Path) -> None:
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "old.js").write_text("gone")
    page = publish(folder)
    published = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    runbooks = {path for path in published if path.parent == Path("runbooks")}
    assert published - runbooks == {path.relative_to(PAGE) for path in PAGE.rglob("*") if path.is_file()}
    assert {path.name for path in runbooks} == {path.name for path in RUNBOOKS.glob("*.md")}
    assert all(path.stat().st_mode & 0o004 for path in folder.rglob("*"))
    assert {"page.js", "page.css", "vendor/uPlot.iife.min.js"} <= {file.path for file in page.files}


def test_unchanged_file_is_left_alone(tmp_path: Path) -> None:
    publish(tmp_path)
    before = {path: path.stat().st_ino for path in tmp_path.rglob("*")}
    publish(tmp_path)
    assert before == {path: path.stat().st_ino for path in tmp_path.rglob("*")}


@pytest.mark.parametrize("file", sorted(PAGE.glob("*.*")), ids=lambda file: file.name)
def test_page_names_no_other_host_and_has_no_code_in_its_markup(file: Path) -> None:
    text = file.read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|//[a-z]+\.", text)
    assert not re.search(r"\son\w+=|style=|<script>", text)
