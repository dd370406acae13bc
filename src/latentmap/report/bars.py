"""Horizontal bars, one for each method, with intervals, chance levels and their ranges."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from textwrap import wrap
from typing import Any

from latentmap.metrics.metric import Measurement
from latentmap.report.experiments import Experiment, distinct
from latentmap.report.lazy import alt
from latentmap.report.palette import CHANCE, CHANCE_RANGE, GROUPED, LIGHT, NEUTRAL, UNGROUPED

NEIGHBORS = {"_grouped": "across sources", "": "all neighbors"}
BAR = 9
TITLE = 20
"""Letters of a line of an axis' title."""

Row = dict[str, Any]


def bar_rows(named: Iterable[tuple[str, Experiment]], metric: str) -> list[Row]:
    """Return the rows of a metric and of its twin without the same source group, if defined.

    The twin stands alone where both are the same.

    Args:
        named: experiments with the names that the chart gives them.
        metric: name of the metric among all other samples.
    """
    named = list(named)
    shown = distinct([metric + suffix for suffix in NEIGHBORS], [one for _, one in named])
    return [
        {"method": name, "neighbors": neighbors, **measured(measurement)}
        for name, experiment in named
        for suffix, neighbors in NEIGHBORS.items()
        if metric + suffix in shown
        for measurement in [experiment[metric + suffix]]
        if not math.isnan(measurement.value)
    ]


def say_light_bars(named: Iterable[tuple[str, Experiment]], metric: str) -> str:
    """Return what light bars beside dark ones say; nothing where there are none."""
    if len({row["neighbors"] for row in bar_rows(named, metric)}) < 2:
        return ""
    return (
        "Dark bars count neighbors from other source groups only. A light bar that is much longer "
        "than its dark one shows how much neighbors of the same source group (crops of one image, "
        "turns of one conversation) inflate the metric."
    )


def measured(measurement: Measurement) -> Row:
    """Return what a chart's row says of one measurement."""
    low, high = measurement.interval or (None, None)
    chance_low, chance_high = measurement.chance_range or (None, None)
    return {
        "value": measurement.value,
        "chance": measurement.chance,
        "chance_low": chance_low,
        "chance_high": chance_high,
        "low": low,
        "high": high,
        "effect": measurement.effect,
        "p_value": measurement.p_value,
    }


def extent(rows: Iterable[Row]) -> tuple[float, float]:
    """Return from where to where bars that start at 0 reach, their intervals included."""
    ends = [row[name] for row in rows for name in ("value", "low", "high", "chance_high")]
    found = [0.0, *(end for end in ends if end is not None)]
    return min(found), max(found)


def bars(
    rows: Sequence[Row],
    names: Sequence[str],
    *,
    by: str = "neighbors",
    order: Sequence[str] = tuple(NEIGHBORS.values()),
    domain: Sequence[float] | None = None,
    baselines: Collection[str] = (),
    title: str | None = None,
) -> alt.LayerChart | alt.FacetChart:
    """Return a dark bar above a light one for each method; one bar where all are of one kind.

    Args:
        rows: from `bar_rows`, or rows of `measured` with a method.
        names: methods from top to bottom.
        by: what the two bars of a method differ in, if rows have it.
        order: its values: of the dark bars, of the light ones.
        domain: extent of the values, where several charts share one.
        baselines: names of those methods that are baselines.
        title: of the values; it stands in short lines, because panels are narrow.
    """
    kinds = [kind for kind in order if any(row.get(by) == kind for row in rows)]
    paired = len(kinds) > 1

    def shade(kind: str, is_baseline: bool) -> str:
        role = "baseline" if is_baseline else "" if paired else "method"
        return ", ".join(filter(None, (role, kind if paired else "")))

    shaded = [{**row, "shade": shade(row.get(by, ""), row["method"] in baselines)} for row in rows]
    colors = {
        shade(kind, is_baseline): pair[is_baseline]
        for kind, pair in zip(kinds or [""], ((GROUPED, NEUTRAL), (UNGROUPED, LIGHT)), strict=False)
        for is_baseline in (False, True)
    }
    there = {row["shade"] for row in shaded}
    colors = {name: color for name, color in colors.items() if name in there}
    base = alt.Chart(alt.InlineData(values=shaded)).encode(
        y=alt.Y("method:N", sort=list(names), title=None, scale=alt.Scale(domain=list(names)))
    )
    if paired:
        base = base.encode(yOffset=alt.YOffset(f"{by}:N", scale=alt.Scale(domain=kinds)))
    numbers = (
        *("value", "chance", "chance_low", "chance_high", "effect"),
        *("low", "high", "p_value"),
    )
    layers = [
        base.mark_bar(height=BAR, opacity=0.6).encode(
            x=alt.X(
                "value:Q",
                title=title and wrap(title, TITLE),
                scale=alt.Scale(zero=True) if domain is None else alt.Scale(domain=list(domain)),
                axis=alt.Axis(tickCount=5),
            ),
            color=alt.Color(
                "shade:N",
                scale=alt.Scale(domain=[*colors], range=[*colors.values()]),
                legend=alt.Legend(orient="top", title=None, columns=2) if len(colors) > 1 else None,
            ),
            tooltip=[
                alt.Tooltip("method:N"),
                *([alt.Tooltip(f"{by}:N")] if kinds else []),
                *(alt.Tooltip(f"{name}:Q", format=".3~g") for name in numbers),
            ],
        )
    ]
    # Vega warns of a field without a single value.
    if any(row["low"] is not None for row in rows):
        layers.append(base.mark_rule(strokeWidth=1.5).encode(x="low:Q", x2="high:Q"))
    if any(row["chance_low"] is not None for row in rows):
        band = base.mark_bar(color=CHANCE_RANGE, height=BAR / 3)
        layers.append(band.encode(x="chance_low:Q", x2="chance_high:Q"))
    if any(row["chance"] is not None for row in rows):
        layers.append(base.mark_tick(color=CHANCE, thickness=2, size=BAR + 3).encode(x="chance:Q"))
    return alt.layer(*layers, height=alt.Step(BAR + 3))


def panels(
    charts: Mapping[str, alt.LayerChart | alt.FacetChart],
    width: int,
    columns: int,
    description: str,
) -> alt.ConcatChart | None:
    """Return charts of bars beside each other, each below its title; none of none."""
    if not charts:
        return None
    titled = (chart.properties(title=title, width=width) for title, chart in charts.items())
    return alt.concat(*titled, columns=columns, spacing=26, description=description).resolve_scale(
        color="independent"
    )
