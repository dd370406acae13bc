"""Heatmap of labels against channels: the standard deviation of each channel over positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from latentmap.report.channel_chart import ChannelChart, DeepDive, label_heatmap
from latentmap.report.matrix import labels_note

if TYPE_CHECKING:
    import altair as alt


class ChannelStdsHeatmap(ChannelChart):
    """How far each label's standard deviation of each channel is from that of all samples."""

    title: ClassVar[str] = "Labels against channels: standard deviation over positions"
    look_for: ClassVar[str] = (
        "rows of a label group that look alike, and columns with strong colours, channels that "
        "differ between labels. By chance a label with n samples deviates by about 1/√n: 0.1 "
        "with 100 samples, 0.3 with 10."
    )

    def build(self, data: DeepDive) -> alt.TopLevelMixin | None:
        """Return a matrix with labels as rows, by group, and channels as columns."""
        found = data.inspection
        return label_heatmap(data, found.label_stds, found.stds, "channel standard deviation")

    def note(self, data: DeepDive) -> str:
        """Return what is left out."""
        return f"{data.note()} {labels_note(len(data.inspection.labels))}".strip()
