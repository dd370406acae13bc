"""Heatmap of labels against channels: how far the images of a label are apart in each channel."""

from __future__ import annotations

from latentmap.inspect.inspection import Floats, Inspection
from latentmap.report.label_heatmap import LabelHeatmap


class ChannelStdsHeatmap(LabelHeatmap):
    """Standard deviation of each channel's mean over the images of a label."""

    title = "Spread of channel means between images, by label"
    what = "standard deviation of the channel mean over the images of a label"
    compared = "relative to all images"
    look_for = (
        "Below 0 the images of a label are more alike in a channel than all images are: −0.5 is "
        "half their standard deviation. Above 0 they are less alike. By chance, a label with n "
        "samples differs by about 1/√(2n): 0.07 with 100 samples, 0.2 with 10. Labels with one "
        "sample have no spread."
    )

    def deviating(self, found: Inspection) -> tuple[Floats, Floats, Floats]:
        """Return those of the labels, and that of all samples, which is the unit too."""
        of_all = found.means[1]
        return found.label_spreads, of_all, of_all
