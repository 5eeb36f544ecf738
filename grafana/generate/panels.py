"""What both dashboards are made of: variables, queries, colours, and panels with everything that a panel must have."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import bargauge, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.common import (
    ReduceDataOptions,
    StackingConfig,
    TableFooterOptions,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import Dashboard as DashboardBuilder
from grafana_foundation_sdk.builders.dashboard import QueryVariable, ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    BarAlignment,
    BarGaugeDisplayMode,
    BarGaugeNamePlacement,
    BarGaugeSizing,
    BarGaugeValueMode,
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TableCellHeight,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardRegexMapOptions,
    DashboardSpecialValueMapOptions,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    MatcherConfig,
    RegexMap,
    RowPanel,
    SpecialValueMap,
    SpecialValueMatch,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from .settings import HOUR, MINUTE

DATA_SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")

ACCOUNT = "job, provider, account"
"""The labels that make an account; without `instance`, so that two exporters of one account are one row."""
ACCOUNT_AND_CURRENCY = f"{ACCOUNT}, currency"
"""The labels of an account's balance."""

# Eight colours that people see apart whatever their colour vision (Okabe and Ito 2008), darker where more urgent.
BLUE, SKY, GREEN, YELLOW, ORANGE, VERMILION, PURPLE, GREY = (
    "#0072B2",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#E69F00",
    "#D55E00",
    "#CC79A7",
    "#BBBBBB",
)

MONEY = "locale"
"""Unit of amounts: exact, whatever the currency; the currency units of Grafana shorten 1234.56 to 1.23K."""
COUNT = "none"
SECONDS = "s"
SHARE = "percentunit"

COLORED = {"type": "color-background", "mode": "basic"}
"""Cells of a table in the colour of their value."""
COLORED_TEXT = {"type": "color-text"}

AT_THE_END = " @ end()"
"""Of a time range: what is chosen by this is the same at each point in it."""


def selector(metric: str, *matchers: str) -> str:
    """Return a selector."""
    return metric + "{" + ", ".join(matchers) + "}"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which accounts a dashboard is about, as matchers."""

    own: tuple[str, ...]
    """Matchers of provider and account."""

    def series(self, metric: str, *matchers: str) -> str:
        """Return a selector of the accounts' series of a metric of the exporter."""
        return selector(metric, 'job=~"$job"', 'instance=~"$instance"', *self.own, *matchers)

    def each(self, metric: str, *matchers: str, by: str = ACCOUNT, when: str = "") -> str:
        """Return the value of each account, whichever exporter gives it."""
        return f"max by ({by}) ({self.series(metric, *matchers)}{when})"

    def age(self, *, by: str = ACCOUNT) -> str:
        """Return the seconds since each account's last good reading; 0 for a time means that there was none."""
        return f"time() - ({self.each('sms_credit_last_reading_timestamp_seconds', by=by)} > 0)"

    def lasts(self, *, by: str = ACCOUNT) -> str:
        """Return how long each account lasts, in seconds; of two exporters, the one that sees an earlier end counts."""
        return f"min by ({by}) ({self.series('sms_credit_runway_seconds')})"

    def gained(self, counter: str, window: str, *, by: str) -> str:
        """Return what a counter of each account gained in a window, added up by labels.

        Of two exporters, the one that saw most of it counts.
        """
        gain = f"increase({self.series(counter)}{window})"
        return f"sum by ({by}) (max by ({ACCOUNT_AND_CURRENCY}) ({gain}))"

    def last_value(self, metric: str, *matchers: str, window: str, when: str = "", by: str = ACCOUNT) -> str:
        """Return the last value of each account within a window, so that a short gap makes no difference."""
        return f"max by ({by}) (last_over_time({self.series(metric, *matchers)}[{window}]{when}))"


def label_variable(name: str, query: str, *, label: str, single: bool = False) -> QueryVariable:
    """Return a variable with the values of a label."""
    variable = (
        QueryVariable(name)
        .label(label)
        .datasource(DATA_SOURCE)
        .query(f"label_values({query}, {name})")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
        .multi(not single)
        .include_all(not single)
    )
    if single:
        return variable
    return variable.all_value(".+").current(VariableOption(selected=True, text="All", value="$__all"))


def query(expr: str, legend: str = "", *, ref: str = "A") -> prometheus.Dataquery:
    """Return a query over the time range."""
    return prometheus.Dataquery().datasource(DATA_SOURCE).expr(expr).legend_format(legend).ref_id(ref)


def now(expr: str, legend: str = "", *, ref: str = "A") -> prometheus.Dataquery:
    """Return a query of the moment."""
    return query(expr, legend, ref=ref).instant()


def rows(expr: str, *, ref: str = "A") -> prometheus.Dataquery:
    """Return a query of the moment whose labels become columns."""
    return now(expr, ref=ref).format(PromQueryFormat.TABLE)


def steps(*pairs: tuple[float | None, str]) -> ThresholdsConfig:
    """Return colours by value; each holds from its value up, the first from below all."""
    return (
        ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(value=value, color=color) for value, color in pairs])
    )


ALARMING = ((None, BLUE), (1, VERMILION))
WORTH_A_LOOK = ((None, BLUE), (1, ORANGE))
PLAIN = ((None, BLUE),)
TEXT = "text"
"""Grafana's own colour of text, dark on light and light on dark."""
AGES = ((None, TEXT), (15 * MINUTE, ORANGE), (HOUR, VERMILION))
"""Colours by the age of a reading: three polls missed at the default interval, and values no longer held by default."""


def texts(words: Mapping[str, tuple[str, str]]) -> ValueMap:
    """Map values to a text and a colour."""
    return ValueMap(
        options={
            value: ValueMappingResult(text=text, color=color, index=index)
            for index, (value, (text, color)) in enumerate(words.items())
        }
    )


def always(text: str) -> RegexMap:
    """Show this text, whatever the value is."""
    return RegexMap(options=DashboardRegexMapOptions(pattern=".+", result=ValueMappingResult(text=text)))


def unknown(text: str) -> SpecialValueMap:
    """Show this text, in grey, where there is no number."""
    result = ValueMappingResult(text=text, color=GREY)
    return SpecialValueMap(options=DashboardSpecialValueMapOptions(match=SpecialValueMatch.NULL_AND_NAN, result=result))


def set_to(**properties: object) -> list[DynamicConfigValue]:
    """Return the properties of an override; a double underscore stands for the dot in a name."""
    return [DynamicConfigValue(id_val=name.replace("__", "."), value=value) for name, value in properties.items()]


def fixed(color: str) -> dict[str, str]:
    """Return a colour as an override has it."""
    return {"mode": "fixed", "fixedColor": color}


TREND = {
    "custom.cellOptions": {"type": "sparkline", "hideValue": True, "lineWidth": 1, "fillOpacity": 10},
    "color": fixed("blue"),
    "min": 0,
}
"""Cells of a table that show how a value went, and how far from zero; what it is now stands beside them."""


def number(
    title: str,
    description: str,
    *targets: prometheus.Dataquery,
    unit: str = COUNT,
    nothing: str,
    colors: Sequence[tuple[float | None, str]] = PLAIN,
) -> stat.Panel:
    """Return a panel that shows the present values."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(DATA_SOURCE)
        .unit(unit)
        .no_value(nothing)
        .mappings([unknown(nothing)])
        .thresholds(steps(*colors))
        .color_mode(BigValueColorMode.BACKGROUND_SOLID)
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
    )
    for target in targets:
        panel = panel.with_target(target)
    return panel


def with_past(
    panel: stat.Panel, expr: str, name: str = "", *, past: str = "", otherwise: str = "vector(NaN)"
) -> stat.Panel:
    """Show a value of the moment in front of how it came to be; `past` if that is another expression.

    A range ends with its last whole step, which can be an hour ago. So the value is asked for by itself and is put
    behind the range as one more point, even if nothing is known now: else the last that is known would pass for it.
    `otherwise` is that point then.
    """
    return (
        panel.with_target(query(past or expr, name, ref="past"))
        .with_target(now(f"{expr}\nor on ()\n{otherwise}", name, ref="now"))
        .with_transformation(merged())
        .reduce_options(ReduceDataOptions().calcs(["last"]))
        .graph_mode(BigValueGraphMode.AREA)
    )


def chart(
    title: str, description: str, targets: Iterable[prometheus.Dataquery], *, unit: str, nothing: str
) -> timeseries.Panel:
    """Return a panel of lines over time. Nothing is drawn where nothing was known."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATA_SOURCE)
        .unit(unit)
        .no_value(nothing)
        .span_nulls(False)
        .line_width(2)
        .show_points(VisibilityMode.AUTO)
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .legend(
            VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM).show_legend(True)
        )
    )
    for target in targets:
        panel = panel.with_target(target)
    return panel


def bars(panel: timeseries.Panel) -> timeseries.Panel:
    """Draw stacked bars, each from its time on."""
    return (
        panel.draw_style(GraphDrawStyle.BARS)
        .bar_alignment(BarAlignment.AFTER)
        .fill_opacity(80)
        .line_width(0)
        .stacking(StackingConfig().mode(StackingMode.NORMAL).group("A"))
    )


def overlaid(panel: timeseries.Panel) -> timeseries.Panel:
    """Draw bars in front of each other, each from its time on: what cannot be added up, as currencies, is no stack."""
    return panel.draw_style(GraphDrawStyle.BARS).bar_alignment(BarAlignment.AFTER).fill_opacity(30).line_width(1).min(0)


def gauge(  # noqa: PLR0913 - what a panel is made of, by name
    title: str,
    description: str,
    target: prometheus.Dataquery,
    *,
    unit: str,
    nothing: str,
    most: float,
    colors: Sequence[tuple[float | None, str]],
) -> bargauge.Panel:
    """Return bars from zero to the right; one that is longer than `most` is full."""
    return (
        bargauge.Panel()
        .title(title)
        .description(description)
        .datasource(DATA_SOURCE)
        .unit(unit)
        .no_value(nothing)
        .thresholds(steps(*colors))
        .min(0)
        .max(most)
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.BASIC)
        .value_mode(BarGaugeValueMode.TEXT)
        .name_placement(BarGaugeNamePlacement.LEFT)
        .sizing(BarGaugeSizing.MANUAL)  # names are as large as bars are high, and higher bars would cut them off
        .min_viz_height(16)
        .max_viz_height(30)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(target)
    )


def listing(
    title: str, description: str, targets: Iterable[prometheus.Dataquery], *, unit: str, nothing: str
) -> table.Panel:
    """Return a table of the present values."""
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(DATA_SOURCE)
        .unit(unit)
        .no_value(nothing)
        .override_by_regexp("/.*/", set_to(noValue="-"))  # the panel's own text would stand in each empty cell
        .cell_height(TableCellHeight.SM)
    )
    for target in targets:
        panel = panel.with_target(target)
    return panel


def in_pages(panel: table.Panel) -> table.Panel:
    """Turn over instead of scrolling, and say how many rows there are."""
    return panel.footer(TableFooterOptions().show(False).enable_pagination(True))


def widths(panel: table.Panel, **pixels: int) -> table.Panel:
    """Give columns, by their headings, as much room as they need; the others share the rest."""
    for heading, width in pixels.items():
        panel = panel.override_by_name(heading, set_to(custom__width=width))
    return panel


def columns(*named: tuple[str, str], hidden: Iterable[str]) -> DataTransformerConfig:
    """Put the columns in this order and under these headings."""
    return DataTransformerConfig(
        id_val="organize",
        options={
            "excludeByName": dict.fromkeys(hidden, True),
            "indexByName": {column: index for index, (column, _) in enumerate(named)},
            "renameByName": dict(named),
        },
    )


def merged() -> DataTransformerConfig:
    """Make one row of what several queries say about the same account."""
    return DataTransformerConfig(id_val="merge", options={})


def trends(ref: str) -> DataTransformerConfig:
    """Make one cell of each series of a query."""
    only = MatcherConfig(id_val="byRefId", options=ref)
    return DataTransformerConfig(id_val="timeSeriesTable", options={}, filter_val=only)


def trend(ref: str, heading: str) -> tuple[tuple[str, str], ...]:
    """Return the column of these cells and its heading; older versions of Grafana leave out the query's name."""
    return ((f"Trend #{ref}", heading), ("Trend", heading))


def only_rows_with(column: str) -> DataTransformerConfig:
    """Leave out the rows that have nothing in a column."""
    condition = {"fieldName": column, "config": {"id": "isNotNull", "options": {}}}
    return DataTransformerConfig(
        id_val="filterByValue", options={"type": "include", "match": "any", "filters": [condition]}
    )


def built(dashboard: DashboardBuilder) -> Dashboard:
    """Finish a dashboard: give each panel the number that Grafana knows it by."""
    finished = dashboard.build()
    numbers = itertools.count(1)
    for panel in finished.panels or ():
        panel.id_val = next(numbers)
        for inner in panel.panels if isinstance(panel, RowPanel) else ():
            inner.id_val = next(numbers)
    return finished
