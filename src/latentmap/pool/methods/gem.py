"""Generalised mean (p = 3) of the positive and of the negative values of each channel."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.pool.method import Latents, PoolingMethod, Regions, Shape
from latentmap.pool.statistics import positions_last


class Gem(PoolingMethod):
    """Generalised mean with p = 3, between the mean (p = 1) and the maximum (p = ∞).

    It is defined for values that are not negative; latents have both signs. So each channel gives
    two: mean(max(x, 0)³)^⅓ of all channels, then mean(max(−x, 0)³)^⅓.
    """

    reference: ClassVar[str] = (
        "Radenović, Tolias & Chum 2018, Fine-tuning CNN image retrieval with no human annotation; "
        "Shang et al. 2016, CReLU (both signs)"
    )

    @classmethod
    def account(cls) -> tuple[str, ...]:
        """Return the two means."""
        return ("positive_mean", "negative_mean")

    def tokens(self, shape: Shape) -> int:
        """Return 1."""
        return 1

    def dims(self, shape: Shape) -> int:
        """Return 2·C."""
        return 2 * shape[0]

    def pool(self, latents: Latents, regions: Regions) -> NDArray[np.float32]:
        """Return (n, 2·C) generalised means."""
        channels = positions_last(latents)
        return np.concatenate([_positive_mean(channels), _positive_mean(-channels)], axis=1)


def _positive_mean(channels: Latents) -> NDArray[np.float32]:
    # |x| + x is exactly twice the positive part, at a quarter of the time of np.maximum.
    doubled = np.abs(channels)
    doubled += channels
    cubes = np.einsum("ncp,ncp->nc", doubled * doubled, doubled)
    # Roots in float32 differ between processors.
    means = cubes / np.float64(channels.shape[-1])
    return (np.cbrt(means) / 2).astype(np.float32)
