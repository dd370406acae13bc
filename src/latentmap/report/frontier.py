"""Pareto charts: what a metric costs, and the methods that no other beats on both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from latentmap.metrics.metric import title_of
from latentmap.report.palette import CHANCE, GROUPED, NEUTRAL

if TYPE_CHECKING:
    import altair as alt

Row = dict[str, Any]

METHOD, BASELINE = "method", "baseline"


def frontier(rows: Sequence[Row], cost: str) -> list[Row]:
    """Return the rows that no other matches at a lower cost, nor beats at the same, cheapest first.

    Args:
        rows: with a `value`, of which more is better.
        cost: name of the number of which less is better.
    """
    best: list[Row] = []
    for row in sorted(rows, key=lambda row: (row[cost], -row["value"])):
        if not best or row["value"] > best[-1]["value"]:
            best.append(row)
    return best


def pareto_panel(
    rows: Sequence[Row],
    cost: str,
    *,
    title: str,
    metric: str,
    size: tuple[int, int] = (460, 330),
    bands: Sequence[str] = (),
) -> alt.LayerChart | alt.FacetChart:
    """Return points of a metric against a cost on a log axis, and the frontier of the methods.

    Args:
        rows: at least one of the kind `method`: name, kind (`method` or `baseline`), value, low,
            high, chance and its range, the cost (positive), and what `bands` names.
        cost: name of the number on the horizontal axis.
        title: of that axis.
        metric: name of the value.
        size: width and height in pixels.
        bands: further fields to show on hover.
    """
    import altair as alt

    best = frontier([row for row in rows if row["kind"] == METHOD], cost)
    low, high = min(row[cost] for row in rows), max(row[cost] for row in rows)
    x = alt.X(
        f"{cost}:Q",
        title=title,
        scale=alt.Scale(type="log", domain=[low / 1.5, high * 4], nice=False),
        axis=alt.Axis(values=_powers_of_ten(low / 1.5, high * 4), format="~s"),
    )
    y = alt.Y("value:Q", title=title_of(metric), scale=alt.Scale(zero=False, padding=14))
    base = alt.Chart(alt.InlineData(values=list(rows))).encode(x=x, y=y)
    line = (
        alt.Chart(alt.InlineData(values=best))
        .mark_line(interpolate="step-after", color=GROUPED, strokeWidth=1.5, opacity=0.6)
        .encode(x=x, y=y)
    )
    kinds = [METHOD, BASELINE]
    points = base.mark_point(filled=True, size=64, opacity=0.85).encode(
        color=alt.Color(
            "kind:N",
            title=None,
            scale=alt.Scale(domain=kinds, range=[GROUPED, NEUTRAL]),
            legend=alt.Legend(orient="top", direction="vertical"),
        ),
        shape=alt.Shape(
            "kind:N", title=None, scale=alt.Scale(domain=kinds, range=["circle", "square"])
        ),
        tooltip=[
            alt.Tooltip("name:N"),
            *(alt.Tooltip(f"{band}:N") for band in bands),
            alt.Tooltip(f"{cost}:Q", format=".4~g"),
            *(alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("value", "chance", "effect")),
        ],
    )
    baselines = [row for row in rows if row["kind"] == BASELINE]
    names = [
        alt.Chart(alt.InlineData(values=named))
        .mark_text(align="left", dx=7, dy=height, fontSize=11)
        .encode(x=x, y=y, text="name:N")
        for named, height in ((best, -7), (baselines, 9))
        if named
    ]
    layers: list[Any] = [line, points, *names]
    if any(row["low"] is not None for row in rows):
        layers.insert(0, base.mark_rule(color=NEUTRAL, opacity=0.5).encode(y="low:Q", y2="high:Q"))
    chances = [row for row in rows if row["chance"] is not None]
    if chances:
        level = alt.Chart(alt.InlineData(values=chances[:1]))
        layers.insert(
            0,
            level.mark_rule(color=CHANCE, strokeDash=[5, 3], strokeWidth=1.5).encode(y="chance:Q"),
        )
        if chances[0]["chance_low"] is not None:
            band = level.mark_rect(color=CHANCE, opacity=0.12)
            layers.insert(0, band.encode(y="chance_low:Q", y2="chance_high:Q"))
    return alt.layer(*layers, width=size[0], height=size[1])


def _powers_of_ten(low: float, high: float) -> list[float]:
    """Return the powers of ten in an interval; with fewer than three, twos and fives as well."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1,), (1, 2, 5)):
        ticks = [step * 10.0**power for power in exponents for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) > 2:
            break
    return ticks
