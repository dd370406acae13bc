"""Mean over all positions: how much of each channel there is, not where."""

from __future__ import annotations

from typing import ClassVar

from latentmap.pool.statistics import ChannelStatistics, mean


class Mean(ChannelStatistics):
    """Mean of each channel."""

    reference: ClassVar[str] = "Lin, Chen & Yan 2014, Network in Network (global average pooling)"
    statistics = (mean,)
