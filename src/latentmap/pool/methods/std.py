"""Standard deviation over all positions: how much each channel varies in the image."""

from __future__ import annotations

from typing import ClassVar

from latentmap.pool.statistics import ChannelStatistics, std


class Std(ChannelStatistics):
    """Population standard deviation (ddof 0) of each channel."""

    reference: ClassVar[str] = (
        "Huang & Belongie 2017, Arbitrary style transfer in real-time (channel statistics as style)"
    )
    statistics = (std,)
