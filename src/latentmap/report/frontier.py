"""Pareto charts: what a metric costs, and the methods that no other beats on both."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from latentmap.metrics.metric import title_of
from latentmap.report.lazy import alt
from latentmap.report.palette import CHANCE, GROUPED, NEUTRAL

Row = dict[str, Any]

METHOD, BASELINE = "method", "baseline"
MARGIN = 1.6
"""Room beside the outermost points, as a factor of the cost."""


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


def pareto_chart(
    rows: Sequence[Row], costs: Mapping[str, str], metric: str, size: tuple[int, int] = (460, 330)
) -> alt.HConcatChart | None:
    """Return a panel for each cost that is known of a method; none if there is none.

    Args:
        rows: as for `pareto_panel`; a cost that is not known is null or not above 0.
        costs: title of each number of which less is better, by its name.
        metric: name of the value.
        size: of a panel, in pixels.
    """
    panels = [
        pareto_panel(known, cost, title=title, metric=metric, size=size)
        for cost, title in costs.items()
        for known in [[row for row in rows if row[cost] and row[cost] > 0]]
        if any(row["kind"] == METHOD for row in known)
    ]
    if not panels:
        return None
    described = f"{title_of(metric)} of every method against {', '.join(costs.values())}."
    return alt.hconcat(*panels, spacing=33, description=described)


def pareto_panel(
    rows: Sequence[Row],
    cost: str,
    *,
    title: str,
    metric: str,
    size: tuple[int, int],
) -> alt.LayerChart | alt.FacetChart:
    """Return points of a metric against a cost on a log axis, and the frontier of the methods.

    Args:
        rows: at least one of the kind `method`: name, kind (`method` or `baseline`), value, low,
            high, chance and its range, and the cost (positive).
        cost: name of the number on the horizontal axis.
        title: of that axis.
        metric: name of the value.
        size: width and height in pixels.
    """
    best = frontier([row for row in rows if row["kind"] == METHOD], cost)
    low = min(row[cost] for row in rows) / MARGIN
    high = max(row[cost] for row in rows) * MARGIN
    counted = all(float(row[cost]).is_integer() for row in rows)
    x = alt.X(
        f"{cost}:Q",
        title=title,
        scale=alt.Scale(type="log", domain=[low, high], nice=False),
        axis=alt.Axis(values=_ticks(low, high, counted), format="~s"),
    )
    y = alt.Y("value:Q", title=title_of(metric), scale=alt.Scale(zero=False, padding=14))
    labels = {
        id(row): row["name"]
        for row in rows
        if any(row is one for one in best) or row["kind"] == BASELINE
    }
    shown = [{**row, "label": labels.get(id(row))} for row in rows]
    base = alt.Chart(alt.InlineData(values=shown)).encode(x=x, y=y)
    line = (
        alt.Chart(alt.InlineData(values=best))
        .mark_line(
            interpolate="step-after",
            color=GROUPED,
            strokeWidth=1.5,
            opacity=0.6,
            style="avoided",
        )
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
            alt.Tooltip(f"{cost}:Q", format=".4~g"),
            *(alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("value", "chance", "effect")),
        ],
    )
    # In print, names stand where these say; on pages, the script finds the place of each.
    is_right = f"log(datum.{cost}) > {math.log(low * high) / 2}"
    names = base.transform_filter("datum.label").mark_text(
        fontSize=11,
        style="placed",
        align=alt.ExprRef(f"{is_right} ? 'right' : 'left'"),
        dx=alt.ExprRef(f"{is_right} ? -7 : 7"),
        dy=alt.ExprRef(f"datum.kind == '{BASELINE}' ? 9 : -7"),
    )
    layers: list[Any] = [line, points, names.encode(text="label:N")]
    if any(row["low"] is not None for row in rows):
        layers.insert(0, base.mark_rule(style="interval").encode(y="low:Q", y2="high:Q"))
    chances = [row for row in rows if row["chance"] is not None]
    if chances:
        level = alt.Chart(alt.InlineData(values=chances[:1]))
        layers.insert(
            0,
            level.mark_rule(
                color=CHANCE, strokeDash=[5, 3], strokeWidth=1.5, style="avoided"
            ).encode(y="chance:Q"),
        )
        if chances[0]["chance_low"] is not None:
            band = level.mark_rect(color=CHANCE, opacity=0.12)
            layers.insert(0, band.encode(y="chance_low:Q", y2="chance_high:Q"))
    return alt.layer(*layers, width=size[0], height=size[1])


def _ticks(low: float, high: float, counted: bool) -> list[float]:
    """Return the ticks of a logarithmic axis: powers of ten, or as few steps between as are needed.

    Args:
        low: its beginning.
        high: its end.
        counted: whether only whole numbers mean anything.
    """
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: list[float] = []
    for steps in ((1.0,), (1.0, 2.0, 5.0), np.arange(1, 10), np.arange(10, 100, 5) / 10):
        marks = [float(step * 10.0**power) for power in exponents for step in steps]
        ticks = [tick for tick in marks if low <= tick <= high]
        if counted:
            ticks = [tick for tick in ticks if tick.is_integer()]
        if len(ticks) > 2:
            break
    return ticks
