"""Dashboards and rules as the files say them, and what Grafana makes of their variables, for any suite."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
DASHBOARDS = ROOT / "infra" / "grafana" / "dashboards"
RULES = ROOT / "infra" / "prometheus" / "rules"
RUNBOOKS = ROOT / "docs" / "runbooks"
RATE_INTERVAL = "1m"
RANGE = "10m"
NOT_METRICS = frozenset(
    ["and", "or", "unless", "on", "ignoring", "by", "without", "group_left", "group_right", "offset", "bool"]
)


@dataclass(frozen=True)
class Query:
    """One question of a panel, as the file says it."""

    dashboard: str
    panel: str
    source: str
    text: str
    at_once: bool

    @property
    def name(self) -> str:
        return f"{self.dashboard}: {self.panel}"


def dashboards() -> list[dict[str, Any]]:
    """Return every dashboard as Grafana reads it."""
    return [json.loads(path.read_text()) for path in sorted(DASHBOARDS.rglob("*.json"))]


def queries(dashboard: dict[str, Any]) -> Iterator[Query]:
    """Give every question of every panel."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            source = target.get("datasource", panel["datasource"])["uid"]
            text = target.get("expr") or target["rawSql"]
            yield Query(dashboard["uid"], panel["title"], source, text, target.get("instant", True))


def rules() -> Iterator[dict[str, Any]]:
    """Give every rule of every file."""
    for path in sorted(RULES.glob("*.yml")):
        for group in read_yaml(path)["groups"]:
            yield from group["rules"]


def read_yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def choices(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the variables at the top of a dashboard."""
    return list(dashboard.get("templating", {}).get("list", []))


def promql(text: str) -> str:
    """Put in what Grafana puts in when all values are chosen."""
    text = text.replace("$__rate_interval", RATE_INTERVAL).replace("$__range", RANGE)
    return re.sub(r"\$\w+", ".+", text)


def sql(text: str, task: str) -> str:
    """Put in what Grafana puts in, a text in quotes with its own quotes doubled."""
    quoted = "'" + task.replace("'", "''") + "'"
    text = text.replace("${task:sqlstring}", quoted)
    return re.sub(r"\$__timeFilter\((\w+)\)", r"\1 BETWEEN now() - interval '1 hour' AND now()", text)


def metrics(expression: str) -> set[str]:
    """Return the names of metrics in PromQL: words that are no function, no label and no keyword."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", bare)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    words = re.findall(r"(?<![\w.:])([a-zA-Z_:][\w:]*)\b(?!\s*\()", bare)
    return {word for word in words if word not in NOT_METRICS and not re.fullmatch(r"\d+[smhd]|[smhd]", word)}
