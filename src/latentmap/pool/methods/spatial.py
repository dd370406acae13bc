"""One token per position, each with all its channels: the grid a vision-language model sees."""

from __future__ import annotations

from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.pool.grids import tokens_first
from latentmap.pool.method import Latents, PoolingMethod, Regions, Shape


class Spatial(PoolingMethod):
    """H·W tokens of C features: position by position, row by row."""

    reference: ClassVar[str] = (
        "Liu et al. 2023, Visual instruction tuning (one token per grid feature)"
    )

    @classmethod
    def account(cls) -> tuple[str, ...]:
        """Return that each value counts by itself."""
        return ("value",)

    def tokens(self, shape: Shape) -> int:
        """Return H·W."""
        return shape[1] * shape[2]

    def dims(self, shape: Shape) -> int:
        """Return C·H·W."""
        return prod(shape)

    def pool(self, latents: Latents, regions: Regions) -> NDArray[np.float32]:
        """Return (n, H·W·C) values."""
        return tokens_first(latents)
