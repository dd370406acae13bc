"""Charts of one neighbor graph: how many neighbors agree with a sample, and which labels mix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.agreement import agreement
from latentmap.neighbors.graph import NeighborGraph, NeighborList, neighbor_labels
from latentmap.report.bars import NEIGHBORS
from latentmap.report.lazy import alt
from latentmap.report.matrix import diverging, label_axis, matrix, shown_labels
from latentmap.report.palette import CHANCE, GROUPED, UNGROUPED

Codes = NDArray[np.intp]


@dataclass(frozen=True)
class LabelledGraph:
    """The k nearest neighbors of every sample, with its classes.

    Attributes:
        graph: both neighbor lists.
        k: nearest neighbors looked at.
        labels: (L,) names.
        groups: (L,) the label group of each.
        codes: (N,) label of each sample.
        sources: (N,) source group of each sample.
    """

    graph: NeighborGraph
    k: int
    labels: Sequence[str]
    groups: Sequence[str]
    codes: Codes
    sources: Codes

    @property
    def is_grouped(self) -> bool:
        """Whether there are neighbors of other source groups."""
        return bool(self.sources.any())

    @property
    def has_siblings(self) -> bool:
        """Whether source groups leave some neighbors out, and not all."""
        return 1 < len(np.unique(self.sources)) < len(self.sources)

    @property
    def nearest(self) -> NeighborList:
        """The k nearest neighbors of other source groups; of all samples if there is one group."""
        chosen = self.graph.grouped if self.is_grouped else self.graph.every
        return NeighborList(chosen.indices[:, : self.k], chosen.distances[:, : self.k])

    @property
    def apart(self) -> Codes:
        """(N,) groups whose samples are not each other's neighbors in `nearest`."""
        return self.sources if self.is_grouped else np.arange(len(self.codes))

    @property
    def group_codes(self) -> Codes:
        """(N,) label group of each sample."""
        return np.unique(np.array(self.groups, np.str_), return_inverse=True)[1][self.codes]


def share_histograms(data: LabelledGraph, chances: Mapping[str, float | None]) -> alt.TopLevelMixin:
    """Return histograms of the share of neighbors with the same label, and the same group.

    Each is there once: that of groups only if they are not the labels, and that of all neighbors
    only if some are of the same source group.

    Args:
        data: the graph.
        chances: the chance level of a "label" and of a "label group", where it is known.
    """
    classes = {"label": data.codes}
    if len(set(data.groups)) < len(data.labels):
        classes["label group"] = data.group_codes
    panels = [
        _histogram(data, codes, chances[noun], f"neighbors with the same {noun}")
        for noun, codes in classes.items()
    ]
    return alt.hconcat(
        *panels,
        spacing=40,
        description=(
            "Histograms of how many of a sample's nearest neighbors have its "
            f"{' or '.join(classes)}."
        ),
    )


def _histogram(
    data: LabelledGraph, codes: Codes, chance: float | None, title: str
) -> alt.LayerChart | alt.FacetChart:
    lists = {}
    if data.is_grouped:
        lists["_grouped"] = (data.graph.grouped, data.sources)
    if data.has_siblings or not data.is_grouped:
        lists[""] = (data.graph.every, np.arange(len(codes)))
    rows: list[dict[str, Any]] = []
    marks = []
    for place, (suffix, (neighbors, apart)) in enumerate(lists.items()):
        found = agreement(codes, neighbors, apart, data.k)
        marks.append((NEIGHBORS[suffix], found.shares.mean()))
        counts = np.bincount(np.rint(found.shares * data.k).astype(int), minlength=data.k + 1)
        rows += [
            {
                "neighbors": NEIGHBORS[suffix],
                "count": number,
                "left": number - 0.4 + 0.8 * place / len(lists),
                "right": number - 0.4 + 0.8 * (place + 1) / len(lists),
                "samples": int(count),
                "share": count / len(codes),
            }
            for number, count in enumerate(counts.tolist())
        ]
    name, mean = marks[0]
    legend = alt.Legend(orient="top", title=None, labelLimit=240)
    bars = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_rect()
        .encode(
            x=alt.X(
                "left:Q",
                title=f"of {data.k} nearest neighbors",
                scale=alt.Scale(domain=[-0.5, data.k + 0.5], nice=False),
                axis=alt.Axis(tickMinStep=1, format="d", grid=False),
            ),
            x2="right:Q",
            y=alt.Y("share:Q", title="share of the samples", axis=alt.Axis(format="%")),
            y2=alt.datum(0),
            color=alt.Color(
                "neighbors:N",
                scale=alt.Scale(
                    domain=[name for name, _ in marks], range=[GROUPED, UNGROUPED][: len(marks)]
                ),
                legend=legend if len(marks) > 1 else None,
            ),
            tooltip=[
                "neighbors:N",
                alt.Tooltip("count:Q", title="same"),
                "samples:Q",
                alt.Tooltip("share:Q", format=".1%"),
            ],
        )
    )
    layers, told = [bars], f"mean {mean:.3f}"
    if chance is not None:
        level = alt.Chart(alt.InlineData(values=[{"at": chance * data.k}]))
        layers.append(level.mark_rule(color=CHANCE, strokeWidth=2).encode(x=alt.X("at:Q")))
        told += f", chance {chance:.3f}"
    heading = alt.TitleParams(title, subtitle=f"{told} ({name})", anchor="start")
    return alt.layer(*layers, title=heading, width=440, height=240)


def confusion(data: LabelledGraph) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the share of each label among the neighbors of each label, and its chance.

    Returns:
        (L, L) each, rows sum to 1: mean over the samples of the row's label of the share of
        neighbors with the column's; and the same if neighbors were drawn at random from the
        samples that may be neighbors.
    """
    count, labels = len(data.codes), len(data.labels)
    found = neighbor_labels(data.codes, data.nearest)
    rows, columns = np.nonzero(found >= 0)
    weights = 1 / (found >= 0).sum(axis=1)[rows]
    pairs = data.codes[rows] * labels + found[rows, columns]
    sizes = np.bincount(data.codes, minlength=labels)
    shares = np.bincount(pairs, weights, labels**2).reshape(labels, labels)
    apart = data.apart
    own = np.bincount(apart)[apart]
    inside = np.zeros((apart.max() + 1, labels))
    np.add.at(inside, (apart, data.codes), 1)
    chances = np.zeros((labels, labels))
    for label in range(labels):
        members = np.flatnonzero(data.codes == label)
        others = (sizes - inside[apart[members]]) / (count - own[members])[:, np.newaxis]
        chances[label] = others.mean(axis=0)
    return shares / sizes[:, np.newaxis], chances


def confusion_chart(data: LabelledGraph, colors: Mapping[str, str]) -> alt.TopLevelMixin:
    """Return a matrix: labels of samples as rows, labels of their neighbors as columns.

    Args:
        data: the graph.
        colors: the label groups in their order.
    """
    shares, chances = confusion(data)
    counts = np.bincount(data.codes, minlength=len(data.labels)).tolist()
    shown = shown_labels(data.labels, data.groups, counts, colors)
    rows = [
        {
            "label": data.labels[row],
            "neighbor": data.labels[column],
            "share": float(f"{shares[row, column]:.5g}"),
            "chance": float(f"{chances[row, column]:.5g}"),
            "beyond": float(f"{shares[row, column] - chances[row, column]:.5g}"),
            "percent": float(f"{100 * shares[row, column]:.3g}"),
        }
        for row in shown
        for column in shown
    ]
    names = [data.labels[label] for label in shown]
    reach = float(np.abs(shares - chances)[np.ix_(shown, shown)].max()) or 1.0
    return matrix(
        rows,
        x=alt.X(
            "neighbor:N",
            scale=alt.Scale(domain=names),
            title="label of the neighbors",
            axis=alt.Axis(orient="top", labelAngle=-45, domain=False, ticks=False),
        ),
        y=label_axis("label", names, "label of the sample"),
        color=diverging("beyond", reach, "share of the neighbors beyond chance"),
        tooltip=[
            alt.Tooltip("label:N"),
            alt.Tooltip("neighbor:N"),
            *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("share", "chance", "beyond")),
        ],
        text=alt.Text("percent:Q", format=".0f"),
        light=f"abs(datum.beyond) > {0.65 * reach}",
        cell=(28, 20),
        description=(
            "Matrix of labels: percent of the nearest neighbors of a label's samples that have "
            "each label, coloured by how far it is from chance."
        ),
    )
