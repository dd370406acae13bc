"""Statistics of each channel over all positions: what there is, not where."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.pool.method import Latents, PoolingMethod, Regions, Shape

Statistic = Callable[[Latents], NDArray[np.float32]]
"""From channels with their positions in one axis, (n, C, H·W), to (n, C)."""


class ChannelStatistics(PoolingMethod):
    """Some statistics of each channel, one after the other: first all channels' first statistic.

    Attributes:
        statistics: the statistics in the order of the vector.
    """

    statistics: ClassVar[tuple[Statistic, ...]]

    @classmethod
    def account(cls) -> tuple[str, ...]:
        """Return the names of the statistics."""
        return tuple(statistic.__name__ for statistic in cls.statistics)

    def tokens(self, shape: Shape) -> int:
        """Return 1."""
        return 1

    def dims(self, shape: Shape) -> int:
        """Return C per statistic."""
        return len(self.statistics) * shape[0]

    def pool(self, latents: Latents, regions: Regions) -> NDArray[np.float32]:
        """Return (n, statistics·C) values."""
        channels = positions_last(latents)
        return np.concatenate([statistic(channels) for statistic in self.statistics], axis=1)


def positions_last(latents: Latents) -> Latents:
    """Return (n, C, H, W) as (n, C, H·W)."""
    return latents.reshape(*latents.shape[:2], -1)


def mean(channels: Latents) -> NDArray[np.float32]:
    """Return the mean of each channel."""
    return channels.mean(axis=-1)


def std(channels: Latents) -> NDArray[np.float32]:
    """Return the population standard deviation (ddof 0) of each channel, in two passes."""
    centred = channels - channels.mean(axis=-1, keepdims=True)
    return np.sqrt(np.einsum("ncp,ncp->nc", centred, centred) / np.float32(channels.shape[-1]))


def minimum(channels: Latents) -> NDArray[np.float32]:
    """Return the smallest value of each channel."""
    return channels.min(axis=-1)


def maximum(channels: Latents) -> NDArray[np.float32]:
    """Return the largest value of each channel."""
    return channels.max(axis=-1)


def spread(channels: Latents) -> NDArray[np.float32]:
    """Return the largest minus the smallest value of each channel."""
    return channels.max(axis=-1) - channels.min(axis=-1)
