"""Maps: samples as points, coloured by label group, trust, source or an annotation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.report.lazy import alt
from latentmap.report.measures import STEPS
from latentmap.report.palette import NEUTRAL
from latentmap.report.points import Points
from latentmap.report.trust import trust_color

Floats = NDArray[np.float64]

LOOK_FOR = (
    "Clusters of one colour are label groups that the embedding separates; mixed colours are "
    "groups that it does not. Distances between far clusters mean little."
)
LOOK_FOR_WITHOUT_LABELS = (
    "Look for clusters, gaps and samples far from all others, and whether the colours follow them. "
    "Distances between far clusters mean little."
)
DATA = "points"
GROUP, TRUST = "group", "trust"
SHOWN = "shown"
COLORING = "coloring"
PALETTE = "palette"
CHOSEN = "chosen"
LIMITS, WITHIN = "limits", "within"
SIZING, SIZES = "sizing", "sizes"
WHOLE = "whole"
OPENED = "opened"
FAR = 2.5
"""A point this many times as far from the middle as nine tenths of them would squeeze the rest."""
AROUND_PANELS = 120
"""Pixels that axes and gaps take of the width of a 3D map."""


def map_chart(
    points: Points,
    colors: Mapping[str, str],
    description: str,
    size: tuple[int, int] = (860, 560),
    caption: str = "",
    coloring: tuple[str, Sequence[str]] = (GROUP, ()),
    behind: Points | None = None,
) -> alt.TopLevelMixin:
    """Return a map: zoomed by the wheel, moved by dragging, an image on hover.

    The page adds the rows, as the data set `points`, and sets the parameters: `shown`, the label
    groups to show (none chosen shows all); `coloring`, `group`, `trust`, a column of codes, whose
    colours are in `palette` and of which `chosen` are shown, or one of numbers, with the `limits`
    between which the palette lies and those `within` which points are shown; `sizing`, a column of
    numbers and its `sizes`, the numbers of the smallest and the largest points; `whole`, whether
    points far from all others are in view; and `opened`, the row that is marked, -1 for none. How
    many points are far is in the metadata of the specification, `outside`. A 3D map becomes its
    three pairs of axes.

    Args:
        points: coordinates; they set the extent only.
        colors: colour of every label group.
        description: for readers who do not see the map.
        size: width and height of a 2D map in pixels.
        caption: a line printed on the map.
        coloring: what colours the points at first, and the palette of it if it is a column of
            codes.
        behind: coordinates of the samples of a reference run, which are grey and behind.
    """
    column, palette = coloring
    start: dict[str, Any] = {SHOWN: [], COLORING: column, PALETTE: [*palette], CHOSEN: []}
    start |= {LIMITS: [], WITHIN: [], SIZING: "", SIZES: [], WHOLE: False, OPENED: -1}
    params = [alt.param(name=name, value=value) for name, value in start.items()]
    behind = behind or {axis: [] for axis in points}
    places = [[*points[axis], *behind[axis]] for axis in "xyz" if axis in points]
    near = near_points(np.array(places, np.float64).T)
    count = len(points["x"])
    outside = int((~near[:count]).sum())
    if outside:
        caption = f"{caption}; {outside:,} of {count:,} points far outside"
    chart: alt.Chart | alt.LayerChart | alt.FacetChart | alt.HConcatChart
    if "z" in points:
        width = int(1.2 * size[0] - AROUND_PANELS) // 3
        panels = [
            _panel(points, behind, near, axes, colors, (width, width))
            for axes in combinations("xyz", 2)
        ]
        chart = alt.hconcat(*panels)
    else:
        chart = _panel(points, behind, near, ("x", "y"), colors, size)
    title = alt.TitleParams(caption, fontSize=11, fontWeight="normal", anchor="start")
    return chart.properties(
        description=description, title=title, usermeta={"outside": outside}
    ).add_params(*params)


def _panel(
    points: Points,
    behind: Points,
    near: NDArray[np.bool_],
    axes: tuple[str, str],
    colors: Mapping[str, str],
    size: tuple[int, int],
) -> alt.Chart | alt.LayerChart | alt.FacetChart:
    x, y = axes
    width, height = size
    area = _point_size(points[x], size)
    x_places, y_places = (np.array([*points[axis], *behind[axis]], np.float64) for axis in axes)
    x_whole, y_whole = _domains(x_places, y_places, width / height)
    x_near, y_near = _domains(x_places[near], y_places[near], width / height)
    is_opened = f"datum.place == {OPENED}"
    place = {"x": _axis(alt.X, x, x_near, x_whole), "y": _axis(alt.Y, y, y_near, y_whole)}
    own = (
        alt.Chart(alt.NamedData(DATA), name=f"map_{x}{y}")
        .mark_circle(opacity=0.8, strokeWidth=0.4, clip=True)
        .encode(
            **place,
            color=alt.condition(
                f"{COLORING} != '{GROUP}'",
                alt.value(alt.ExprRef(_color())),
                alt.Color(
                    "group:N",
                    scale=alt.Scale(domain=list(colors), range=list(colors.values())),
                    legend=None,
                ),
            ),
            size=alt.value(
                alt.ExprRef(f"{area} * ({SIZING} ? {_sized()} : 1) * ({is_opened} ? 3 : 1)")
            ),
            strokeWidth=alt.value(alt.ExprRef(f"{is_opened} ? 3 : 0.4")),
            tooltip=alt.value(alt.ExprRef("datum.told")),
        )
        .transform_filter(_kept(SHOWN, "datum.group"))
        .transform_filter(_kept(CHOSEN, f"datum[{COLORING}]"))
        .transform_filter(
            f"length({WITHIN}) == 0 || (isNumber(datum[{COLORING}]) && "
            f"inrange(datum[{COLORING}], {WITHIN}))"
        )
        .add_params(alt.selection_interval(name=f"zoom_{x}{y}", bind="scales"))
    )
    if not behind[x]:
        return own.properties(width=width, height=height)
    rows = [{x: a, y: b} for a, b in zip(behind[x], behind[y], strict=True)]
    reference = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_circle(color=NEUTRAL, opacity=0.5, strokeWidth=0, size=area, clip=True)
        .encode(**place)
    )
    return alt.layer(reference, own, width=width, height=height)


def _color() -> str:
    """Return the Vega expression of a point's colour, where it is not that of its group."""
    value = f"datum[{COLORING}]"
    step = f"clamp(floor({STEPS} * {_share(value, LIMITS)}), 0, {STEPS - 1})"
    measured = f"{PALETTE}[isNumber({value}) ? {step} : {STEPS}]"
    return (
        f"{COLORING} == '{TRUST}' ? ({trust_color()}) : "
        f"length({LIMITS}) > 0 ? {measured} : {PALETTE}[{value}]"
    )


def _sized() -> str:
    """Return the Vega expression of how much larger than others a point is, by area.

    From 0.4 for the number of the smallest points to 2.5 for that of the largest; in between it is
    1, as without. A sample without a number has the smallest.
    """
    share = f"clamp({_share(f'datum[{SIZING}]', SIZES)}, 0, 1)"
    return f"pow(6.25, (isNumber(datum[{SIZING}]) ? {share} : 0) - 0.5)"


def _share(value: str, limits: str) -> str:
    """Return the Vega expression of how far a number is between two others."""
    return f"(({value} - {limits}[0]) / ({limits}[1] - {limits}[0] || 1))"


def _kept(chosen: str, value: str) -> str:
    return f"length({chosen}) == 0 || indexof({chosen}, {value}) >= 0"


def _point_size(values: list[float], size: tuple[int, int]) -> float:
    """Return the area of a point: less where there are many, within what can be seen and hit."""
    width, height = size
    return float(np.clip(0.06 * width * height / max(len(values), 1), 14, 40))


def _axis(channel: Any, name: str, near: list[float], whole: list[float]) -> Any:
    scale = alt.Scale(domain=near, nice=False, zero=False)
    if whole != near:
        low, high = (alt.ExprRef(f"{WHOLE} ? {a} : {b}") for a, b in zip(whole, near, strict=True))
        scale = alt.Scale(**scale.to_dict(), domainMin=low, domainMax=high)
    return channel(
        f"{name}:Q",
        scale=scale,
        axis=alt.Axis(title=f"axis {'xyz'.index(name) + 1}", labels=False, ticks=False, grid=False),
    )


def near_points(places: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return which of the points (n, dims) a map shows at first: those that squeeze no others."""
    placed = np.isfinite(places).all(axis=1)
    near = np.ones(len(places), np.bool_)
    if placed.any():
        middle = np.median(places[placed], axis=0)
        distances = np.abs(places[placed] - middle).max(axis=1)
        near[placed] = distances <= FAR * np.quantile(distances, 0.9)
    return near


def _domains(x: Floats, y: Floats, ratio: float) -> tuple[list[float], list[float]]:
    """Return extents in which one unit is as long on both axes: stretching invents structure."""
    x_middle, x_reach = _extent(x)
    y_middle, y_reach = _extent(y)
    reach = max(x_reach / ratio, y_reach)
    return (
        [x_middle - reach * ratio, x_middle + reach * ratio],
        [y_middle - reach, y_middle + reach],
    )


def _extent(values: Floats) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    margin = 1.05
    return float(low + high) / 2, float(high - low) / 2 * margin or 1.0
