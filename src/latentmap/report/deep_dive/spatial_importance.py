"""Heatmaps of the positions at which latents differ between labels."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from latentmap.inspect.inspection import Floats, Inspection
from latentmap.report.channel_chart import (
    MOST_PLANES,
    ChannelChart,
    DeepDive,
    channel_name,
)
from latentmap.report.lazy import alt

COLUMNS = 4
LARGE, SMALL = 420, 200
MOST = 64
"""Positions to a side that are drawn each; more are averaged."""
EXCEEDED = 0.05
"""Share of positions above the threshold if labels mean nothing."""
_OVER = 1.06
"""Width of a cell, a little more than it has, so that no background shows between two."""


class SpatialImportance(ChannelChart):
    """F statistic of the labels at each position, over all channels and in each channel."""

    title = "Positions that separate labels"
    look_for = (
        "At bright positions latents differ more between labels than within them, by the "
        "logarithm of the F statistic. Dark blue is 1 or less, which is chance; an even plane "
        "means that no position matters more than others. White lines enclose positions above the "
        "threshold; a ring marks the best position: row and column, counted from 0."
    )
    renderer = "canvas"

    def build(self, data: DeepDive) -> alt.TopLevelMixin | None:
        """Return the plane over all channels above those of each channel."""
        found = data.inspection
        if np.isnan(found.positions).all():
            return None
        shown = [
            channel
            for channel in data.shown(MOST_PLANES)
            if not np.isnan(found.channel_positions[channel]).all()
        ]
        single = found.channel_positions[shown]
        limit = threshold(found)
        planes = [
            _plane(plane, channel_name(channel), SMALL, float(np.nanmax(single)), limit)
            for channel, plane in zip(shown, single, strict=True)
        ]
        highest = float(np.nanmax(found.positions))
        return alt.vconcat(
            _plane(found.positions, "all channels", LARGE, highest, limit),
            *([alt.concat(*planes, columns=COLUMNS, spacing=12)] if planes else []),
            spacing=24,
            description=(
                "Heatmaps of the height and width of the latents: F statistic of the labels at "
                "each position, over all channels and in each channel."
            ),
        ).resolve_scale(color="independent")

    def note(self, data: DeepDive) -> str:
        """Return where labels differ most, and what is averaged or left out."""
        found = data.inspection
        height, width = found.positions.shape
        parts = [
            ""
            if np.isnan(found.positions).all()
            else f"Best position over all channels: {_best(found.positions)}. If labels meant "
            f"nothing and samples were independent, {100 * EXCEEDED:.0f} % of a channel's "
            f"positions would be above the threshold, F = {threshold(found):.3g}, and fewer over "
            "all channels; with several samples from one source, more.",
            f"{height} × {width} positions, averaged to at most {MOST} to a side."
            if max(height, width) > MOST
            else "",
            data.note(MOST_PLANES),
        ]
        return " ".join(filter(None, parts))


def _place(plane: Floats) -> tuple[int, int]:
    """Return row and column of the largest F statistic."""
    row, column = np.unravel_index(np.nanargmax(plane), plane.shape)
    return int(row), int(column)


def _best(plane: Floats) -> str:
    place = _place(plane)
    return f"({place[0]}, {place[1]}) with F {plane[place]:.3g}"


def _edges(values: Floats, most: int) -> tuple[list[int], list[int]]:
    """Return where cells begin, down and across, and where the last ones end."""
    down, across = (
        np.linspace(0, size, min(size, most) + 1).round().astype(int).tolist()
        for size in values.shape
    )
    return down, across


def cells(values: Floats, most: int) -> list[dict[str, Any]]:
    """Return the cells of a plane, averaged to at most `most` to a side: where each begins.

    Args:
        values: (H, W); undefined values are left out.
        most: cells to a side.
    """
    down, across = _edges(values, most)
    return [
        {"row": top, "column": left, "f": float(f"{np.nanmean(part):.3g}")}
        for top, bottom in pairwise(down)
        for left, right in pairwise(across)
        if np.isfinite(part := values[top:bottom, left:right]).any()
    ]


def threshold(found: Inspection) -> float:
    """Return the F statistic that few positions exceed if labels mean nothing."""
    from scipy.stats import f

    labels, samples = len(found.labels), sum(found.counts)
    return float(f.isf(EXCEEDED, labels - 1, samples - labels))


def outlines(values: Floats, most: int, limit: float) -> list[dict[str, int]]:
    """Return the lines around the cells that reach a limit, from (x, y) to (x2, y2).

    Args:
        values: (H, W), averaged to cells as `cells` does.
        most: cells to a side.
        limit: the least value inside.
    """
    down, across = _edges(values, most)
    inside = np.zeros((len(down) + 1, len(across) + 1), bool)
    for cell in cells(values, most):
        row, column = down.index(cell["row"]), across.index(cell["column"])
        inside[row + 1, column + 1] = cell["f"] >= limit
    level = np.argwhere(inside[1:, 1:-1] != inside[:-1, 1:-1]).tolist()
    upright = np.argwhere(inside[1:-1, 1:] != inside[1:-1, :-1]).tolist()
    return [
        *({"x": across[j], "x2": across[j + 1], "y": down[i], "y2": down[i]} for i, j in level),
        *({"x": across[j], "x2": across[j], "y": down[i], "y2": down[i + 1]} for i, j in upright),
    ]


def _plane(
    plane: Floats, name: str, side: int, highest: float, limit: float
) -> alt.LayerChart | alt.FacetChart:
    """Return a (H, W) plane, its best position marked and those above a limit enclosed."""
    height, width = plane.shape
    row, column = _place(plane)
    axis = alt.Axis(grid=False, tickCount=4)
    across, down = (alt.Scale(domain=domain, nice=False) for domain in ([0, width], [height, 0]))
    positions = (
        alt.Chart(alt.InlineData(values=cells(plane, MOST)))
        .mark_rect(stroke=None, clip=True)
        .transform_calculate(
            right=f"datum.column + {_OVER * width / min(width, MOST)}",
            bottom=f"datum.row + {_OVER * height / min(height, MOST)}",
        )
        .encode(
            x=alt.X("column:Q", scale=across, axis=axis, title=None),
            x2="right:Q",
            y=alt.Y("row:Q", scale=down, axis=axis, title=None),
            y2="bottom:Q",
            color=alt.Color(
                "f:Q",
                title="F",
                scale=alt.Scale(
                    type="log", scheme="cividis", domain=[1, max(highest, 1.5)], clamp=True
                ),
                legend=alt.Legend(orient="bottom", gradientLength=160, format=".3~g"),
            ),
            tooltip=["row:Q", "column:Q", alt.Tooltip("f:Q", format=".3~g")],
        )
    )
    lines = outlines(plane, MOST, limit)
    enclosed = (
        alt.Chart(alt.InlineData(values=lines))
        .mark_rule(color="#ffffff", strokeWidth=side / 350)
        .encode(x=alt.X("x:Q", title=None), y=alt.Y("y:Q", title=None), x2="x2:Q", y2="y2:Q")
    )
    best = alt.Chart(alt.InlineData(values=[{"x": column + 0.5, "y": row + 0.5}]))
    best = best.encode(x=alt.X("x:Q", title=None), y=alt.Y("y:Q", title=None))
    # White on black: one of them shows on any colour.
    rings = (
        best.mark_point(shape="circle", size=110, stroke=color, strokeWidth=line, filled=False)
        for color, line in (("#000000", 3.5), ("#ffffff", 1.5))
    )
    return alt.layer(
        positions,
        *([enclosed] if lines else []),
        *rings,
        title=f"{name}: best {_best(plane)}",
        width=side * width / max(plane.shape),
        height=side * height / max(plane.shape),
    )
