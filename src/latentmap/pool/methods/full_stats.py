"""Mean, standard deviation, minimum and maximum of each channel."""

from __future__ import annotations

from typing import ClassVar

from latentmap.pool.statistics import ChannelStatistics, maximum, mean, minimum, std


class FullStats(ChannelStatistics):
    """Mean of all channels, then population standard deviation, minimum and maximum."""

    reference: ClassVar[str] = (
        "Corso et al. 2020, Principal neighbourhood aggregation (four aggregators)"
    )
    statistics = (mean, std, minimum, maximum)
