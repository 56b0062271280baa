"""Dashboards are what the code writes, lie on Grafana's grid, and leave nothing unexplained."""

import json
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.dashboards import DASHBOARDS, ROOT, RUNBOOKS, choices, dashboards, queries, read_yaml
from tests.unit.stack.grafana_schema import DATA_SOURCES, PROVIDERS

BOARDS = dashboards()
UIDS = {board["uid"] for board in BOARDS}
ALERTS = sorted(path.stem for path in RUNBOOKS.glob("*.md"))
RUNBOOK = "runbook-"
EXPECTED = {"overview", "functions", "workers", "models", "parts", "task", "runbooks"}
WITHOUT_NUMBERS = {"text", "dashlist"}
COLUMNS = 24
PROVISIONING = ROOT / "infra" / "grafana" / "provisioning"
JINJA = re.compile(r"\{\{.*?\}\}")


def provisioned(name: str, tmp_path: Path) -> Any:
    """Read a template of provisioning with a word in each gap."""
    text = JINJA.sub("word", (PROVISIONING / name).read_text())
    file = tmp_path / "provisioned.yml"
    file.write_text(text)
    return read_yaml(file)


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def test_files_are_what_the_code_writes() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "boards", "--check"],
        cwd=ROOT / "infra" / "grafana",
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])
def test_file_is_read_by_grafana_s_own_types_and_nothing_gets_lost(board: dict[str, Any]) -> None:
    register_default_plugins()
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(board)))
    del read["style"]
    assert without_empty(board) == without_empty(read)


def without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: without_empty(each) for name, each in value.items()}
        return {name: each for name, each in kept.items() if each not in ({}, [], None)}
    return [without_empty(each) for each in value] if isinstance(value, list) else value


def test_the_dashboards_are_there_under_fixed_addresses() -> None:
    assert len(BOARDS) == len(UIDS)
    assert EXPECTED | {f"{RUNBOOK}{alert}" for alert in ALERTS} == UIDS
    assert {path.stem for path in DASHBOARDS.glob("*.json")} == EXPECTED


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])
def test_panels_fill_the_grid_and_do_not_overlap(board: dict[str, Any]) -> None:
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)
    places = [panel["gridPos"] for panel in board["panels"]]
    assert all(at["x"] >= 0 and at["w"] > 0 and at["x"] + at["w"] <= COLUMNS for at in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])
def test_every_panel_says_what_it_shows_and_in_which_unit(board: dict[str, Any]) -> None:
    for panel in panels(board):
        assert panel["title"]
        assert panel["description"], panel["title"]
        if panel["type"] in WITHOUT_NUMBERS:
            assert panel["options"].get("content") or panel["options"]["tags"]
            continue
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"], panel["title"]
        assert panel["targets"], panel["title"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])
def test_figure_that_divides_says_none_yet_and_not_nan_where_nothing_came(board: dict[str, Any]) -> None:
    figures = {panel["title"] for panel in panels(board) if panel["type"] == "stat"}
    for query in queries(board):
        if query.panel in figures and " / " in query.text:
            assert re.fullmatch(r".+ / \(.+ > 0\)", query.text), query.name


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])
def test_no_theme_is_forced_and_all_is_for_reading(board: dict[str, Any]) -> None:
    assert "style" not in board
    assert board["editable"] is False
    assert board["description"]


def test_data_sources_are_those_that_are_provisioned(tmp_path: Path) -> None:
    known = {one["uid"] for one in provisioned("datasources/stack.yml.j2", tmp_path)["datasources"]}
    asked = {query.source for board in BOARDS for query in queries(board)}
    chosen = {
        choice["datasource"]["uid"]
        for board in BOARDS
        for choice in choices(board)
        if choice["type"] == "query"
    }
    assert asked | chosen == {"prometheus", "postgres"}
    assert asked | chosen <= known


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])
def test_variables_are_declared_where_they_are_used(board: dict[str, Any]) -> None:
    declared = {choice["name"] for choice in choices(board)}
    used = {
        name
        for query in queries(board)
        for name in re.findall(r"\$\{?([a-z]\w*)", query.text)
        if not name.startswith("__")
    }
    assert used == declared


def test_links_lead_to_dashboards_that_exist() -> None:
    of_all = [board for board in BOARDS if board["tags"] == ["inference"]]
    assert {board["uid"] for board in of_all} == EXPECTED
    for path in DASHBOARDS.rglob("*.json"):
        named = re.findall(r"""["(]/d/([^")?]+)""", path.read_text())
        assert {uid for uid in named if "$" not in uid} <= UIDS, path.name
    for board in BOARDS:
        [link] = board["links"]
        assert link["type"] == "dashboards"
        assert link["tags"] == ["inference"]


@pytest.mark.parametrize("uid", ["overview", "runbooks"])
def test_name_of_a_firing_alert_leads_to_its_runbook(uid: str) -> None:
    [board] = [board for board in BOARDS if board["uid"] == uid]
    [panel] = [panel for panel in panels(board) if panel["title"] == "Firing alerts"]
    [override] = [
        one for one in panel["fieldConfig"]["overrides"] if one["matcher"]["options"] == "alertname"
    ]
    [property_of_column] = override["properties"]
    assert property_of_column["id"] == "links"
    [link] = property_of_column["value"]
    assert link["url"] == f"/d/{RUNBOOK}${{__value.raw}}"
    assert "alertname" not in panel["transformations"][0]["options"]["excludeByName"]


@pytest.mark.parametrize("alert", ALERTS)
def test_runbook_is_a_page_of_its_own(alert: str) -> None:
    [board] = [board for board in BOARDS if board["uid"] == f"{RUNBOOK}{alert}"]
    [panel] = panels(board)
    text = (RUNBOOKS / f"{alert}.md").read_text()
    assert board["tags"] == ["runbook"]
    assert panel["title"] == alert
    named = re.findall(r"\]\((\w+)\.md\)", text)
    assert re.findall(r"\]\((.+?)\)", panel["options"]["content"]) == [f"/d/{RUNBOOK}{one}" for one in named]


def test_runbooks_are_listed() -> None:
    [board] = [board for board in BOARDS if board["uid"] == "runbooks"]
    [panel] = [panel for panel in panels(board) if panel["type"] == "dashlist"]
    assert panel["options"]["tags"] == ["runbook"]
    assert panel["options"]["maxItems"] >= len(ALERTS)


def test_nobody_s_features_or_caller_are_shown() -> None:
    for board in BOARDS:
        for query in queries(board):
            if query.source == "postgres":
                assert not re.search(r"\b(caller|idempotency_key|request_digest|prediction)\b", query.text)
                assert "features" not in query.text.replace("jsonb_array_length(features)", "")


def test_provisioning_has_the_fields_that_grafana_reads(tmp_path: Path) -> None:
    jsonschema.validate(provisioned("datasources/stack.yml.j2", tmp_path), DATA_SOURCES)
    jsonschema.validate(provisioned("dashboards/stack.yml.j2", tmp_path), PROVIDERS)


def test_field_that_grafana_would_pass_over_is_an_error(tmp_path: Path) -> None:
    sources = provisioned("datasources/stack.yml.j2", tmp_path)
    for source in sources["datasources"]:
        source["jsonData"]["timeIntervall"] = "15s"
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(sources, DATA_SOURCES)
        del source["jsonData"]["timeIntervall"]
    jsonschema.validate(sources, DATA_SOURCES)
