"""Heatmap of labels against channels: the standard deviation of each channel over positions."""

from __future__ import annotations

from typing import ClassVar

from latentmap.inspect.inspection import Floats, Inspection
from latentmap.report.label_heatmap import LabelHeatmap


class ChannelStdsHeatmap(LabelHeatmap):
    """How far each label's standard deviation of each channel is from that of all samples."""

    title: ClassVar[str] = "Channel standard deviations by label"
    what: ClassVar[str] = "channel standard deviation"

    def deviating(self, found: Inspection) -> tuple[Floats, Floats]:
        """Return those of the labels and of all samples."""
        return found.label_stds, found.stds
