"""What panels ask, and whom: PromQL over a time or now, SQL, and the choices at the top of a dashboard."""

from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders.dashboard import QueryVariable, TextBoxVariable
from grafana_foundation_sdk.builders.prometheus import Dataquery as PromQuery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

PROMETHEUS: Final = DataSourceRef(type_val="prometheus", uid="prometheus")
POSTGRES: Final = DataSourceRef(type_val="postgres", uid="postgres")
PARTS: Final = 'min by (job) ({__name__=~"up|(redis|pg|nginx)_up"})'
"""1 for each part that is well, as PartDown sees it: exporters may answer and say that its part is down."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question of a panel.

    Args:
        text: PromQL or SQL.
        legend: what a series is called, with labels as `{{label}}`.
        source: data source that is asked.
        at_once: the value now instead of all within the time shown.
        as_table: one column a label instead of one series a set of labels.
        as_heatmap: buckets of a histogram.
    """

    text: str
    legend: str = ""
    source: DataSourceRef = PROMETHEUS
    at_once: bool = False
    as_table: bool = False
    as_heatmap: bool = False

    def target(self, ref_id: str) -> Builder[Dataquery]:
        """Write it as Grafana keeps it."""
        if self.source is POSTGRES:
            return _SqlTarget(self.text, ref_id)
        target = PromQuery().expr(self.text).legend_format(self.legend or "__auto").ref_id(ref_id)
        if self.as_heatmap:
            target = target.format(PromQueryFormat.HEATMAP)
        elif self.as_table:
            target = target.format(PromQueryFormat.TABLE)
        return target.instant() if self.at_once else target.range()


def over_time(promql: str, legend: str = "") -> Query:
    """Ask Prometheus for a line."""
    return Query(promql, legend)


def now(promql: str, legend: str = "") -> Query:
    """Ask Prometheus for the value at the end of the time shown."""
    return Query(promql, legend, at_once=True)


def quantiles(
    histogram: str, selector: str, by: str = "", of: tuple[float, ...] = (0.5, 0.95, 0.99)
) -> list[Query]:
    """Ask for quantiles of a histogram, by a label where one is named."""
    labels, prefix = (f"le, {by}", f"{{{{{by}}}}} ") if by else ("le", "")
    return [
        over_time(
            f"histogram_quantile({q},"
            f" sum by ({labels}) (rate({histogram}_bucket{selector}[$__rate_interval])))",
            f"{prefix}p{q * 100:g}",
        )
        for q in of
    ]


def sql(text: str) -> Query:
    """Ask Postgres for a table, as readonly_user."""
    return Query(text, source=POSTGRES)


def choice(name: str, label: str, promql: str) -> QueryVariable:
    """Let one choose values of a label; all are chosen at first."""
    return (
        QueryVariable(name)
        .label(label)
        .datasource(PROMETHEUS)
        .query({"query": promql, "refId": name})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".+")
        .current(VariableOption(text="All", value="$__all", selected=True))
    )


def blank(name: str, label: str, description: str) -> TextBoxVariable:
    """Let one type something in."""
    return TextBoxVariable(name).label(label).description(description).default_value("")


class _SqlTarget(Builder[Dataquery], Dataquery):
    """The SDK has no form for SQL."""

    def __init__(self, text: str, ref_id: str) -> None:
        self._json = {
            "datasource": POSTGRES,
            "editorMode": "code",
            "format": "table",
            "rawQuery": True,
            "rawSql": text,
            "refId": ref_id,
        }

    def build(self) -> Dataquery:
        return self

    def to_json(self) -> dict[str, object]:
        return self._json
