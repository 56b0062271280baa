"""A dashboard: its address, its panels in reading order, and the way to all others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, Row
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    Panel,
    VariableModel,
)

TAG: Final = "inference"
REFRESH: Final = "10s"

type Content = Builder[Panel] | str
"""A panel, or the title of a row that begins."""


@dataclass(frozen=True, slots=True)
class Board:
    """What one dashboard is.

    Args:
        uid: its file, and its address: /d/<uid>.
        title: as in the list.
        description: which question it answers.
        content: panels as they are read, with the titles of rows.
        choices: variables at the top.
        since: beginning of the time shown at first.
        tag: in which list it stands; those tagged `inference` are at the top of every dashboard.
        file: path of its file, where that is not its uid.
    """

    uid: str
    title: str
    description: str
    content: Sequence[Content]
    choices: Sequence[Builder[VariableModel]] = ()
    since: str = "now-1h"
    tag: str = TAG
    file: str = ""

    def build(self) -> models.Dashboard:
        """Lay it out."""
        dashboard = (
            Dashboard(self.title)
            .uid(self.uid)
            .description(self.description)
            .tags([self.tag])
            .time(self.since, "now")
            .timezone("browser")
            .refresh(REFRESH)
            .readonly()
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .link(_to_all_others())
            .variables(list(self.choices))
        )
        for item in self.content:
            dashboard = dashboard.with_row(Row(item)) if isinstance(item, str) else dashboard.with_panel(item)
        built = dashboard.build()

        for number, panel in enumerate(built.panels or [], start=1):
            panel.id_val = number
        return built


def _to_all_others() -> DashboardLink:
    return (
        DashboardLink("Dashboards")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .keep_time(keep_time=True)
        .as_dropdown(as_dropdown=False)
    )
