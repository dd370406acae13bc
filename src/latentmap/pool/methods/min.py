"""Smallest value over all positions: the strongest negative response of each channel."""

from __future__ import annotations

from typing import ClassVar

from latentmap.pool.statistics import ChannelStatistics, minimum


class Min(ChannelStatistics):
    """Minimum of each channel."""

    reference: ClassVar[str] = "Durand, Thome & Cord 2016, WELDON (minimum beside maximum scores)"
    statistics = (minimum,)
