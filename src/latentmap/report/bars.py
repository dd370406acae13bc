"""Horizontal bars, one for each method, with chance levels and intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from latentmap.report.experiments import Experiment
from latentmap.report.palette import CHANCE, GROUPED, UNGROUPED

if TYPE_CHECKING:
    import altair as alt

NEIGHBORS = {"_grouped": "from other source groups", "": "among all other samples"}
BAR = 9

Row = dict[str, Any]


def bar_rows(named: Iterable[tuple[str, Experiment]], figure: str) -> list[Row]:
    """Return the rows of a figure and of its twin without the same source group, if defined.

    Args:
        named: experiments with the names that the chart gives them.
        figure: name of the figure among all other samples.
    """
    return [
        {
            "method": name,
            "neighbors": neighbors,
            "value": measurement.value,
            "chance": measurement.chance,
            "low": measurement.interval and measurement.interval[0],
            "high": measurement.interval and measurement.interval[1],
            "p_value": measurement.p_value,
        }
        for name, experiment in named
        for suffix, neighbors in NEIGHBORS.items()
        for measurement in [experiment[figure + suffix]]
        if not math.isnan(measurement.value)
    ]


def paired_bars(
    rows: list[Row], names: Sequence[str], *, domain: Sequence[float] | None = None
) -> alt.LayerChart | alt.FacetChart:
    """Return a dark bar (other source groups only) above a light one (all) for each method.

    Args:
        rows: from `bar_rows`.
        names: methods from top to bottom.
        domain: extent of the values, where several charts share one.
    """
    import altair as alt

    order = list(NEIGHBORS.values())
    color = alt.Color(
        "neighbors:N",
        scale=alt.Scale(domain=order, range=[GROUPED, UNGROUPED]),
        legend=alt.Legend(orient="top", title=None),
    )
    offset = alt.YOffset("neighbors:N", sort=order, scale=alt.Scale(domain=order))
    base = _base(rows, names).encode(yOffset=offset)
    return _layers(base, rows, color, domain, alt.Tooltip("neighbors:N"))


def single_bars(
    rows: list[Row], names: Sequence[str], colors: Sequence[str]
) -> alt.LayerChart | alt.FacetChart:
    """Return one bar for each method.

    Args:
        rows: from `bar_rows`, of a figure without a twin.
        names: methods from top to bottom.
        colors: of each method.
    """
    import altair as alt

    scale = alt.Scale(domain=list(names), range=list(colors))
    color = alt.Color("method:N", scale=scale, legend=None)
    return _layers(_base(rows, names), rows, color, None)


def _base(rows: list[Row], names: Sequence[str]) -> alt.Chart:
    import altair as alt

    scale = alt.Scale(domain=list(names))
    return alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("method:N", sort=list(names), title=None, scale=scale)
    )


def _layers(
    base: alt.Chart,
    rows: list[Row],
    color: alt.Color,
    domain: Sequence[float] | None,
    *tooltips: alt.Tooltip,
) -> alt.LayerChart | alt.FacetChart:
    import altair as alt

    scale = alt.Scale(zero=True) if domain is None else alt.Scale(domain=list(domain))
    numbers = ("value", "chance", "low", "high", "p_value")
    layers = [
        base.mark_bar(height=BAR).encode(
            x=alt.X("value:Q", title=None, scale=scale, axis=alt.Axis(tickCount=5)),
            color=color,
            tooltip=[
                alt.Tooltip("method:N"),
                *tooltips,
                *(alt.Tooltip(f"{name}:Q", format=".3~g") for name in numbers),
            ],
        )
    ]
    # Vega warns of a field without a single value.
    if any(row["low"] is not None for row in rows):
        layers.append(base.mark_rule(color="#000000").encode(x="low:Q", x2="high:Q"))
    if any(row["chance"] is not None for row in rows):
        layers.append(base.mark_tick(color=CHANCE, thickness=2, size=BAR + 3).encode(x="chance:Q"))
    return alt.layer(*layers, height=alt.Step(BAR + 3))
