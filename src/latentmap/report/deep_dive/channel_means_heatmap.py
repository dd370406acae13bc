"""Heatmap of labels against channels: the mean of each channel over positions."""

from __future__ import annotations

from latentmap.inspect.inspection import Floats, Inspection
from latentmap.report.label_heatmap import LabelHeatmap


class ChannelMeansHeatmap(LabelHeatmap):
    """How far each label's mean of each channel is from that of all samples."""

    title = "Channel means by label"
    what = "channel mean"

    def deviating(self, found: Inspection) -> tuple[Floats, Floats, Floats]:
        """Return those of the labels, and the mean and deviation of all samples."""
        return found.label_means, *found.means
