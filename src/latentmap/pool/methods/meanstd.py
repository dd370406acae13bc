"""Mean and standard deviation over all positions of each channel."""

from __future__ import annotations

from typing import ClassVar

from latentmap.pool.statistics import ChannelStatistics, mean, std


class MeanStd(ChannelStatistics):
    """Mean of all channels, then their population standard deviation."""

    reference: ClassVar[str] = "Snyder et al. 2018, X-vectors (statistics pooling)"
    statistics = (mean, std)
