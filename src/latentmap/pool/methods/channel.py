"""One token per channel, each with all its positions: which channel shows what, and where."""

from __future__ import annotations

from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.pool.method import Latents, PoolingMethod, Regions, Shape


class Channel(PoolingMethod):
    """C tokens of H·W features: channel by channel, each row by row."""

    reference: ClassVar[str] = (
        "Tolstikhin et al. 2021, MLP-Mixer (token mixing: positions of a channel)"
    )

    @classmethod
    def account(cls) -> tuple[str, ...]:
        """Return that each value counts by itself."""
        return ("value",)

    def tokens(self, shape: Shape) -> int:
        """Return C."""
        return shape[0]

    def dims(self, shape: Shape) -> int:
        """Return C·H·W."""
        return prod(shape)

    def pool(self, latents: Latents, regions: Regions) -> NDArray[np.float32]:
        """Return (n, C·H·W) values."""
        return latents.reshape(len(latents), -1)
