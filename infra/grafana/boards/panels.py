"""The forms that dashboards are made of. Each takes a title, what it shows and why one looks, and a unit."""

import string
from collections.abc import Mapping, Sequence
from typing import Final

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboardlist,
    heatmap,
    stat,
    table,
    text,
    timeseries,
)
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.builders.heatmap import HeatmapColorOptions, YAxisConfig
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphTresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.text import TextMode

from boards.queries import Query

WHOLE: Final = 24
HALF: Final = 12
SIXTH: Final = 4
TALL: Final = 8
SHORT: Final = 4
MOST_LISTED: Final = 100

type Steps = Sequence[tuple[float | None, str]]
"""Colours by the value from which each holds; the first has no value."""
PLAIN: Final[Steps] = ((None, "blue"),)


def bad_from(*values: float) -> Steps:
    """Turn orange at the first value and red at the last; one value is red."""
    return ((None, "green"), *zip(values, ("orange", "red")[-len(values) :], strict=True))


def good_from(value: float) -> Steps:
    """Be red below a value."""
    return ((None, "red"), (value, "green"))


def lines(  # noqa: PLR0913 - what a graph may have
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    limit: float | None = None,
    stacked: bool = False,
    span: int = HALF,
) -> timeseries.Panel:
    """Draw series over time; a limit is a red line."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .span(span)
        .height(TALL)
        .datasource(queries[0].source)
        .min(0)
        .fill_opacity(30 if stacked else 8)
        .color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        .thresholds(_thresholds(PLAIN if limit is None else bad_from(limit)))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
        )
    )
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    if limit is not None:
        panel = panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphTresholdsStyleMode.LINE))
    return _ask(panel, queries)


def figure(  # noqa: PLR0913 - what a figure may have
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    steps: Steps = PLAIN,
    names: Mapping[str, tuple[str, str]] | None = None,
    span: int = SIXTH,
) -> stat.Panel:
    """Show the value now, coloured by it; `names` maps values to a text and a colour."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .span(span)
        .height(SHORT)
        .datasource(queries[0].source)
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False))
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(_thresholds(steps))
        .no_value("none yet")
    )
    if names:
        panel = panel.mappings([_mapping(names)])
    return _ask(panel, queries)


def bars(title: str, description: str, unit: str, *queries: Query, span: int = HALF) -> bargauge.Panel:
    """Show values now beside each other."""
    panel = (
        bargauge.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .span(span)
        .height(TALL)
        .datasource(queries[0].source)
        .min(0)
        .orientation(VizOrientation.HORIZONTAL)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False))
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(_thresholds(PLAIN))
    )
    return _ask(panel, queries)


def heat(title: str, description: str, unit: str, query: Query, span: int = HALF) -> heatmap.Panel:
    """Show how often each bucket of a histogram was hit."""
    panel = (
        heatmap.Panel()
        .title(title)
        .description(description)
        .unit("short")
        .span(span)
        .height(TALL)
        .datasource(query.source)
        .thresholds(_thresholds(PLAIN))
        .color(HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(64))
        .y_axis(YAxisConfig().unit(unit))
        .show_tooltip()
    )
    return _ask(panel, [Query(query.text, "{{le}}", as_heatmap=True)])


def listing(  # noqa: PLR0913 - what a table may have
    title: str,
    description: str,
    query: Query,
    *,
    units: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
    hidden: Sequence[str] = (),
    height: int = TALL,
    span: int = WHOLE,
) -> table.Panel:
    """Show rows; `units` and `links` go by the column's name."""
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .unit("none")
        .span(span)
        .height(height)
        .datasource(query.source)
        .thresholds(_thresholds(PLAIN))
        .no_value("")
        .show_header(show_header=True)
    )
    for column, unit in (units or {}).items():
        panel = panel.override_by_name(column, [DynamicConfigValue(id_val="unit", value=unit)])
    for column, url in (links or {}).items():
        link = {"title": f"Open {column}", "url": url}
        panel = panel.override_by_name(column, [DynamicConfigValue(id_val="links", value=[link])])
    if hidden:
        options = {"excludeByName": dict.fromkeys(hidden, True)}
        panel = panel.with_transformation(DataTransformerConfig(id_val="organize", options=options))
    return _ask(panel, [query])


def note(title: str, markdown: str, *, height: int, span: int = WHOLE) -> text.Panel:
    """Show a text."""
    return (
        text.Panel()
        .title(title)
        .description(f"Written in the repository: {title}.")
        .span(span)
        .height(height)
        .mode(TextMode.MARKDOWN)
        .content(markdown)
    )


def directory(title: str, description: str, *, tag: str, height: int) -> dashboardlist.Panel:
    """List the dashboards that have a tag, each with a link."""
    return (
        dashboardlist.Panel()
        .title(title)
        .description(description)
        .span(WHOLE)
        .height(height)
        .show_starred(show_starred=False)
        .show_headings(show_headings=False)
        .show_search(show_search=True)
        .tags([tag])
        .max_items(MOST_LISTED)
    )


def _ask[
    P: (
        bargauge.Panel,
        heatmap.Panel,
        stat.Panel,
        table.Panel,
        timeseries.Panel,
    )
](panel: P, queries: Sequence[Query]) -> P:
    for ref_id, query in zip(string.ascii_uppercase, queries, strict=False):
        panel = panel.with_target(query.target(ref_id))
    return panel


def _thresholds(steps: Steps) -> ThresholdsConfig:
    thresholds = [Threshold(value=value, color=color) for value, color in steps]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(thresholds)


def _mapping(names: Mapping[str, tuple[str, str]]) -> ValueMap:
    results = {
        value: ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(names.items())
    }
    return ValueMap(options=results)
