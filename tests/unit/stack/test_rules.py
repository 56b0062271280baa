"""Every rule is tried by promtool on made-up numbers, and every alert tells a person what to do."""

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.dashboards import ROOT, RULES, RUNBOOKS, read_yaml, rules

TESTS = ROOT / "infra" / "prometheus" / "tests"
ALERTS = [rule for rule in rules() if "alert" in rule]
NAMES = sorted({rule["alert"] for rule in ALERTS})
RECORDS = sorted({rule["record"] for rule in rules() if "record" in rule})
SECTIONS = ["What a user notices", "Look first", "What to do", "When it is a false alarm"]
LONGEST_RUNBOOK = 40


@cache
def tries() -> list[dict[str, Any]]:
    return [one for path in sorted(TESTS.glob("*.yml")) for one in read_yaml(path)["tests"]]


@pytest.mark.parametrize("file", sorted(RULES.glob("*.yml")), ids=lambda path: path.stem)
def test_rules_do_what_their_numbers_say(file: Path) -> None:
    result = subprocess.run(
        ["promtool", "test", "rules", str(TESTS / file.name)],
        cwd=TESTS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", NAMES)
def test_alert_is_seen_to_fire_and_to_keep_still(name: str) -> None:
    expected = [
        bool(look.get("exp_alerts"))
        for one in tries()
        for look in one.get("alert_rule_test", [])
        if look["alertname"] == name
    ]
    assert set(expected) == {True, False}


@pytest.mark.parametrize("name", RECORDS)
def test_recorded_figure_is_worked_out_by_hand(name: str) -> None:
    asked = [look["expr"] for one in tries() for look in one.get("promql_expr_test", [])]
    assert any(re.search(rf"{re.escape(name)}\b", expression) for expression in asked)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    assert rule["annotations"]["runbook"] == f"docs/runbooks/{rule['alert']}.md"


@pytest.mark.parametrize("name", NAMES)
def test_runbook_has_its_sections_and_its_links_resolve(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text()
    assert text.startswith(f"# {name}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert len(text.splitlines()) <= LONGEST_RUNBOOK
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (RUNBOOKS / link).is_file(), link


def test_no_runbook_is_left_over() -> None:
    assert sorted(path.stem for path in RUNBOOKS.glob("*.md")) == NAMES


def test_commands_of_runbooks_exist() -> None:
    verbs = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in RUNBOOKS.glob("*.md"):
        assert set(re.findall(r"\bmake ([a-z-]+)", path.read_text())) <= verbs, path.name
