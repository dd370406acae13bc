"""Charts of how sources differ: a map coloured by source, and their shares of its regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.regions import region_of
from latentmap.report.findings import SIGNIFICANT
from latentmap.report.lazy import alt
from latentmap.report.palette import NEUTRAL, group_colors

WIDTH, HEIGHT = 760, 520
BAR, GAP = 15, 12
DASHED = [4, 3]


@dataclass(frozen=True)
class SourcedMap:
    """One map with the sources of its samples.

    Attributes:
        places: (N, dims) coordinates of the samples that are shown; of a reference run first.
        sources: (N,) source of each.
        ids: (N,) id of each.
        labels: (N,) label of each, `NO_LABEL` where it has none.
        names: the sources, in the order of the comparison.
        reference: the one of them that is the reference run, if there is one.
        regions: `centres`, `shares` and `p_adjusted` as `compare_sources` writes them; the
            latter null where there is no test.
    """

    places: NDArray[np.float32]
    sources: Sequence[str]
    ids: Sequence[str]
    labels: Sequence[str]
    names: Sequence[str]
    reference: str | None
    regions: Mapping[str, Any]

    @property
    def colors(self) -> dict[str, str]:
        """Colour of each source: grey for the reference, the others as on maps."""
        colors = group_colors({}, (name for name in self.names if name != self.reference))
        return {name: colors.get(name, NEUTRAL) for name in self.names}


def sourced_map(data: SourcedMap) -> alt.TopLevelMixin:
    """Return a map coloured by source, with the outlines and numbers of its regions."""
    order = _drawing_order(data)
    axes = "xyz"[: data.places.shape[1]]
    rows = [
        {
            **{axis: float(f"{data.places[row, i]:.5g}") for i, axis in enumerate(axes)},
            "source": data.sources[row],
            "label": data.labels[row],
            "id": data.ids[row],
        }
        for row in order
    ]
    description = "Scatter plot of the samples of all sources on one map, coloured by source."
    points = alt.InlineData(values=rows)
    if len(axes) == 3:
        side = WIDTH * 2 // 5
        panels = [_points(points, data, *pair, (side, side)) for pair in combinations(axes, 2)]
        return alt.hconcat(*panels, description=description)
    corners = _outlines(data)
    outlines = alt.Chart(alt.InlineData(values=corners)).mark_line(
        style="aside", strokeWidth=1, strokeDash=DASHED, opacity=0.8
    )
    numbers = alt.Chart(alt.InlineData(values=_numbers(data))).mark_text(
        fontSize=14, fontWeight="bold", style="halo", strokeWidth=3, dy=-10
    )
    place = {"x": alt.X("x:Q"), "y": alt.Y("y:Q")}
    layers = [
        _points(points, data, "x", "y", (WIDTH, HEIGHT)),
        # Vega warns of a layer without rows.
        *([outlines.encode(**place, detail="region:N", order="turn:Q")] if corners else []),
        numbers.encode(**place, text="region:N"),
        numbers.encode(**place, text="region:N").mark_text(fontSize=14, fontWeight="bold", dy=-10),
    ]
    return alt.layer(*layers, description=description)


def _drawing_order(data: SourcedMap) -> list[int]:
    """Return all rows: the reference's first, those of other sources mixed, none on top of all."""
    mixed = np.random.default_rng(0).permutation(len(data.sources))
    behind = np.array([data.sources[row] != data.reference for row in mixed])
    order: list[int] = mixed[np.argsort(behind, kind="stable")].tolist()
    return order


def _points(
    points: alt.InlineData, data: SourcedMap, x: str, y: str, size: tuple[int, int]
) -> alt.Chart:
    def axis(channel: Any, name: str) -> Any:
        return channel(
            f"{name}:Q",
            scale=alt.Scale(zero=False, padding=12),
            axis=alt.Axis(
                title=f"axis {'xyz'.index(name) + 1}", labels=False, ticks=False, grid=False
            ),
        )

    told = ("source", "label", "id") if any(data.labels) else ("source", "id")
    area = float(np.clip(0.05 * size[0] * size[1] / max(len(data.sources), 1), 10, 36))
    return (
        alt.Chart(points, width=size[0], height=size[1])
        .mark_circle(size=area, opacity=0.65)
        .encode(
            x=axis(alt.X, x),
            y=axis(alt.Y, y),
            color=_source_color(data),
            tooltip=[alt.Tooltip(f"{name}:N") for name in told],
        )
    )


def _source_color(data: SourcedMap) -> alt.Color:
    scale = alt.Scale(domain=list(data.colors), range=list(data.colors.values()))
    legend = alt.Legend(orient="top", title=None, labelLimit=300, symbolOpacity=1)
    return alt.Color("source:N", scale=scale, legend=legend)


def _outlines(data: SourcedMap) -> list[dict[str, Any]]:
    """Return the corners of the convex hull of the shown samples of each region."""
    from scipy.spatial import ConvexHull, QhullError

    centres = np.array(data.regions["centres"])
    members = region_of(data.places, centres)
    rows = []
    for region in range(len(centres)):
        places = data.places[members == region].astype(np.float64)
        try:
            corners = places[ConvexHull(places).vertices]
        except (QhullError, ValueError):  # fewer than three places, or all on one line
            continue
        for turn, (x, y) in enumerate([*corners, corners[0]]):
            rows.append({"region": region + 1, "turn": turn, "x": float(x), "y": float(y)})
    return rows


def _numbers(data: SourcedMap) -> list[dict[str, Any]]:
    return [
        {"region": number + 1, "x": x, "y": y}
        for number, (x, y) in enumerate(data.regions["centres"])
    ]


def region_bars(data: SourcedMap) -> alt.TopLevelMixin:
    """Return the share of each source's samples in each region, as bars."""
    rows = [
        {"region": region, "source": name, "share": share, "p_adjusted": p_value}
        for region, (shares, p_value) in enumerate(
            zip(data.regions["shares"], data.regions["p_adjusted"], strict=True), start=1
        )
        for name, share in zip(data.names, shares, strict=True)
    ]
    highest = max(row["share"] for row in rows)
    marks = [
        {"region": region, "share": max(shares), "mark": "*"}
        for region, (shares, p_value) in enumerate(
            zip(data.regions["shares"], data.regions["p_adjusted"], strict=True), start=1
        )
        if p_value is not None and p_value <= SIGNIFICANT
    ]
    names = list(data.names)
    tested = any(row["p_adjusted"] is not None for row in rows)
    p_value_told = alt.Tooltip("p_adjusted:Q", format=".3~g", title="p, adjusted")
    bars = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar()
        .encode(
            x=alt.X("region:O", title="region of the map", axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset("source:N", scale=alt.Scale(domain=names)),
            y=alt.Y(
                "share:Q",
                title="share of a source's samples",
                axis=alt.Axis(format="%", tickCount=5),
                scale=alt.Scale(domain=[0, 1.08 * highest]),
            ),
            color=_source_color(data),
            tooltip=[
                alt.Tooltip("region:O"),
                alt.Tooltip("source:N"),
                alt.Tooltip("share:Q", format=".1%"),
                *([p_value_told] if tested else []),
            ],
        )
    )
    stars = (
        alt.Chart(alt.InlineData(values=marks))
        .mark_text(fontSize=18, dy=-4)
        .encode(x="region:O", y="share:Q", text="mark:N")
    )
    return alt.layer(
        bars,
        *([stars] if marks else []),
        width=len(data.regions["shares"]) * (BAR * len(names) + GAP),
        height=240,
        description="Bars: of each source, the share of its samples in each region of the map.",
    )
