"""Covariance of every pair of channels over all positions: which channels go together."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.pool.method import Latents, PoolingMethod, Regions, Shape
from latentmap.pool.statistics import positions_last


class Covariance(PoolingMethod):
    """Upper triangle, diagonal included, of the C×C second moment about the channel means.

    The sum over positions is divided by their number (ddof 0); rows of the triangle follow each
    other: (0, 0), (0, 1), … (0, C−1), (1, 1), …
    """

    reference: ClassVar[str] = "Tuzel, Porikli & Meer 2006, Region covariance"

    @classmethod
    def account(cls) -> tuple[str, ...]:
        """Return the covariances."""
        return ("covariance",)

    def tokens(self, shape: Shape) -> int:
        """Return 1."""
        return 1

    def dims(self, shape: Shape) -> int:
        """Return C·(C+1)/2."""
        return shape[0] * (shape[0] + 1) // 2

    def pool(self, latents: Latents, regions: Regions) -> NDArray[np.float32]:
        """Return (n, C·(C+1)/2) covariances."""
        channels = positions_last(latents)
        centred = np.subtract(channels, channels.mean(axis=-1, keepdims=True), dtype=np.float64)
        moments = centred @ centred.swapaxes(1, 2) / channels.shape[-1]
        rows, columns = np.triu_indices(channels.shape[1])
        return moments[:, rows, columns].astype(np.float32)
