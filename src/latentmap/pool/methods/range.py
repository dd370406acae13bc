"""Largest minus smallest value of each channel: its extent, without its level."""

from __future__ import annotations

from typing import ClassVar

from latentmap.pool.statistics import ChannelStatistics, spread


class Range(ChannelStatistics):
    """Maximum minus minimum of each channel."""

    reference: ClassVar[str] = "Tippett 1925, On the extreme individuals and the range of samples"
    statistics = (spread,)
