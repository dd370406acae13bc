"""Matrices of labels and channels: how far each label is from the mean of all samples."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from latentmap.inspect.inspection import Floats, Inspection
from latentmap.report.channel_chart import ChannelChart, DeepDive
from latentmap.report.matrix import diverging, label_axis, labels_note, matrix

if TYPE_CHECKING:
    import altair as alt


class LabelHeatmap(ChannelChart):
    """How far a metric of each channel is, for each label, from that of all samples.

    Attributes:
        what: the metric.
    """

    what: ClassVar[str]
    look_for: ClassVar[str] = (
        "Rows of a label group that look alike share what the channels see; columns with strong "
        "colours are channels that differ between labels. By chance, a label with n samples "
        "deviates by about 1/√n: 0.1 with 100 samples, 0.3 with 10."
    )

    @abstractmethod
    def deviating(self, found: Inspection) -> tuple[Floats, Floats]:
        """Return the metric's mean for each label, (L, C), and its mean and std overall, (2, C)."""

    def build(self, data: DeepDive) -> alt.TopLevelMixin | None:
        """Return a matrix with labels as rows, by group, and channels as columns."""
        import altair as alt

        found = data.inspection
        values, (mean, std) = self.deviating(found)
        undefined = np.full_like(values, np.nan)
        deviations = np.divide(values - mean, std, out=undefined, where=std > 0)
        rows = [
            {
                "label": found.labels[label],
                "group": found.groups[label],
                "n": found.counts[label],
                "channel": str(channel),
                "value": float(values[label, channel]),
                "deviation": float(deviations[label, channel]),
            }
            for channel in data.shown()
            for label in data.labels
            if std[channel] > 0
        ]
        if len(found.labels) < 2 or not rows:
            return None
        reach = float(np.nanmax(np.abs(deviations))) or 1.0
        names = [found.labels[label] for label in data.labels]
        return matrix(
            rows,
            x=alt.X(
                "channel:N",
                scale=alt.Scale(domain=[str(channel) for channel in data.shown()]),
                title="channel",
                axis=alt.Axis(orient="top", labelAngle=0, domain=False, ticks=False),
            ),
            y=label_axis("label", names),
            color=diverging(
                "deviation", reach, f"{self.what}, in standard deviations from the mean"
            ),
            tooltip=[
                *(alt.Tooltip(f"{name}:N") for name in ("label", "group", "channel")),
                alt.Tooltip("n:Q"),
                *(alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("value", "deviation")),
            ],
            text=alt.Text("deviation:Q", format=".1f"),
            light=f"abs(datum.deviation) > {0.65 * reach}",
            cell=(34, 20),
            description=(
                f"Matrix of labels and channels: {self.what}, as deviation from all samples."
            ),
        )

    def note(self, data: DeepDive) -> str:
        """Return what is left out."""
        return f"{data.note()} {labels_note(len(data.inspection.labels))}".strip()
