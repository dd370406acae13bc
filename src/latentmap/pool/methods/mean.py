"""Mean over all positions: how much of each channel there is, not where."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.pool.method import Latents, PoolingMethod, Regions, Shape


class Mean(PoolingMethod):
    """Mean of each channel over all positions."""

    reference: ClassVar[str] = "Lin, Chen & Yan 2014, Network in Network (global average pooling)"

    def tokens(self, shape: Shape) -> int:
        """Return 1."""
        return 1

    def dims(self, shape: Shape) -> int:
        """Return C."""
        return shape[0]

    def pool(self, latents: Latents, regions: Regions) -> NDArray[np.float32]:
        """Return (n, C) means."""
        return latents.mean(axis=(2, 3))
