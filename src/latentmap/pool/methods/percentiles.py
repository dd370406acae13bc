"""Five percentiles (5, 25, 50, 75, 95) of each channel: its distribution, safe from outliers."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.pool.method import Latents, PoolingMethod, Regions, Shape
from latentmap.pool.statistics import positions_last

PERCENTILES = (5, 25, 50, 75, 95)


class Percentiles(PoolingMethod):
    """The 5th percentile of all channels, then the 25th, 50th, 75th and 95th.

    Between two values the percentile is interpolated linearly, as `numpy.percentile` does.
    """

    reference: ClassVar[str] = (
        "Hyndman & Fan 1996, Sample quantiles in statistical packages (type 7)"
    )

    @classmethod
    def account(cls) -> tuple[str, ...]:
        """Return the percentiles."""
        return ("percentiles",)

    def tokens(self, shape: Shape) -> int:
        """Return 1."""
        return 1

    def dims(self, shape: Shape) -> int:
        """Return 5·C."""
        return len(PERCENTILES) * shape[0]

    def pool(self, latents: Latents, regions: Regions) -> NDArray[np.float32]:
        """Return (n, 5·C) percentiles."""
        # One sort of each channel is several times faster than numpy.percentile.
        ordered = np.sort(positions_last(latents), axis=-1)
        ranks = np.array(PERCENTILES) / 100 * (ordered.shape[-1] - 1)
        below, above = np.floor(ranks).astype(int), np.ceil(ranks).astype(int)
        low, high = ordered[..., below], ordered[..., above]
        values = low + (high - low) * (ranks - below).astype(np.float32)
        return np.moveaxis(values, -1, 1).reshape(len(latents), -1)
