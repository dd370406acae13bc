"""Largest value over all positions: the strongest response of each channel."""

from __future__ import annotations

from typing import ClassVar

from latentmap.pool.statistics import ChannelStatistics, maximum


class Max(ChannelStatistics):
    """Maximum of each channel."""

    reference: ClassVar[str] = (
        "Tolias, Sicre & Jégou 2016, Particular object retrieval with integral max-pooling (MAC)"
    )
    statistics = (maximum,)
