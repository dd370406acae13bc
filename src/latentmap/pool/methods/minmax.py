"""Smallest and largest value over all positions of each channel."""

from __future__ import annotations

from typing import ClassVar

from latentmap.pool.statistics import ChannelStatistics, maximum, minimum


class MinMax(ChannelStatistics):
    """Minimum of all channels, then their maximum."""

    reference: ClassVar[str] = "Durand, Thome & Cord 2016, WELDON (minimum beside maximum scores)"
    statistics = (minimum, maximum)
