"""Each channel alone: same-label share of its neighbors, and its map."""

from __future__ import annotations

import math

from latentmap.metrics.metric import Measurement
from latentmap.report.bars import NEIGHBORS, bars, measured
from latentmap.report.channel_chart import ChannelChart, DeepDive, channel_name, choice
from latentmap.report.lazy import alt
from latentmap.report.maps import DATA, SHOWN

KIND = "maps"
NAMES = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
COLUMNS = 4
SIDE = 235
REACH = 1.05
"""Where maps end: all points but far ones are within 1."""


class PerChannel(ChannelChart):
    """Bars of the neighbors that each channel finds alone, above the maps of the channels."""

    needs_labels = False
    title = "Each channel alone"
    look_for = (
        "Each map shows the samples by one channel alone. Look for clusters, for maps in which one "
        "colour stays together, and for channels whose dark bar exceeds the orange tick of chance. "
        "In a map by PCA, left to right is what varies most in a channel, which need not be what "
        "separates the labels."
    )
    shows_samples = True
    renderer = "canvas"

    def build(self, data: DeepDive) -> alt.TopLevelMixin | None:
        """Return bars above a grid of maps."""
        maps = [_map(channel, data) for channel in data.mapped] if data.kinds else []
        parts = [
            *_purity(data),
            *([alt.concat(*maps, columns=COLUMNS, spacing=14)] if maps else []),
        ]
        if not parts:
            return None
        kinds = (
            [choice(KIND, "Maps by", {kind: NAMES[kind] for kind in data.kinds})] if maps else []
        )
        return (
            alt.vconcat(
                *parts,
                spacing=24,
                description="Bars of the same-label neighbors of each channel, and a map of each.",
            )
            .resolve_scale(color="independent")
            .add_params(alt.param(name=SHOWN, value=[]), *kinds)
        )

    def note(self, data: DeepDive) -> str:
        """Return how the samples were compared."""
        found = data.inspection
        height, width = found.grid
        far = sum(
            max(map(abs, place)) > REACH
            for kind in data.kinds[:1]
            for channel in data.mapped
            for place in zip(
                *(data.points[f"{kind}_{axis}{channel}"] for axis in "xy"), strict=True
            )
        )
        parts = [
            f"Each channel is averaged to {height} × {width} cells before samples are compared."
            if found.grid != found.positions.shape
            else "",
            f"{found.compared:,} of {found.samples:,} samples, drawn at random, are compared."
            if found.compared < found.samples
            else "",
            "They are compared by cosine." if found.metric == "cosine" else "",
            data.note(),
            f"Maps are of the {len(data.mapped)} {'best' if found.labels else 'first'} channels."
            if 0 < len(data.mapped) < len(found.channels)
            else "",
            f"Points far outside of their maps: {far}; scroll to zoom out." if far else "",
        ]
        return " ".join(filter(None, parts))


def _purity(data: DeepDive) -> list[alt.LayerChart | alt.FacetChart]:
    """Return bars of labels and, where they are others, of label groups."""
    names = [channel_name(channel) for channel in data.shown()]
    charts = []
    for kind, metrics in data.metrics.items():
        rows = [
            {"method": channel_name(channel), "neighbors": neighbors, **measured(measurement)}
            for channel in data.shown()
            for suffix, neighbors in NEIGHBORS.items()
            for name in [f"knn{suffix}"]
            for one in [metrics[channel]]
            for measurement in [Measurement(getattr(one, name), getattr(one, f"{name}_chance"))]
            if not math.isnan(measurement.value)
        ]
        if rows:
            title = f"kNN {kind} purity"
            charts.append(bars(rows, names, title=title).properties(title=title, width=700))
    return charts


def _map(channel: int, data: DeepDive) -> alt.Chart:
    scale = alt.Scale(domain=[-REACH, REACH], nice=False)
    axis = alt.Axis(labels=False, ticks=False, grid=False, title=None)
    colors = alt.Scale(domain=list(data.colors), range=list(data.colors.values()))
    return (
        alt.Chart(alt.NamedData(DATA), title=_map_title(channel, data), width=SIDE, height=SIDE)
        .mark_circle(size=18, opacity=0.8, strokeWidth=0.3, clip=True)
        .encode(
            x=alt.X("x:Q", scale=scale, axis=axis),
            y=alt.Y("y:Q", scale=scale, axis=axis),
            color=alt.Color("group:N", scale=colors, legend=None),
            tooltip=[
                alt.Tooltip(f"{name}:N") for name in ("image", "label", "group", "id", "text")
            ],
        )
        .transform_filter(f"length({SHOWN}) == 0 || indexof({SHOWN}, datum.group) >= 0")
        .transform_calculate(x=f"datum[{KIND} + '_x{channel}']", y=f"datum[{KIND} + '_y{channel}']")
        .add_params(alt.selection_interval(name=f"zoom_{channel}", bind="scales"))
    )


def _map_title(channel: int, data: DeepDive) -> str:
    one = data.inspection.channels[channel]
    share = one.knn if math.isnan(one.knn_grouped) else one.knn_grouped
    return channel_name(channel) + ("" if math.isnan(share) else f", share {share:.3f}")
