"""Heatmap of labels against channels: the standard deviation of each channel over positions."""

from __future__ import annotations

from latentmap.inspect.inspection import Floats, Inspection
from latentmap.report.label_heatmap import LabelHeatmap


class SpatialStdsHeatmap(LabelHeatmap):
    """How much each channel varies inside the images of each label, compared with all images."""

    title = "Spread of channels inside images, by label"
    what = "standard deviation over positions, mean of the images of a label"

    def deviating(self, found: Inspection) -> tuple[Floats, Floats, Floats]:
        """Return those of the labels, and the mean and deviation of all samples."""
        return found.label_stds, *found.stds
