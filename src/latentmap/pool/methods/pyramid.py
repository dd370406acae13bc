"""Spatial pyramid of means, 1×1, 2×2 and 4×4: the whole, its quarters and their quarters."""

from __future__ import annotations

from itertools import accumulate
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.pool.grids import adaptive, cell_means, covering, tokens_first
from latentmap.pool.method import Latents, PoolingMethod, Regions, Shape

LEVELS = (1, 2, 4)


class Pyramid(PoolingMethod):
    """Means of the cells of three grids; cells of sizes that do not divide overlap by a position.

    The vector lists the cells, coarse grid first and row by row, each with its C means.
    """

    reference: ClassVar[str] = (
        "Lazebnik, Schmid & Ponce 2006, Beyond bags of features; "
        "He et al. 2014, Spatial pyramid pooling in deep convolutional networks"
    )

    @classmethod
    def account(cls) -> tuple[str, ...]:
        """Return the means of cells, grid by grid."""
        return tuple(f"cells_{level}" for level in LEVELS)

    def tokens(self, shape: Shape) -> int:
        """Return 21, the number of cells."""
        return sum(level**2 for level in LEVELS)

    def dims(self, shape: Shape) -> int:
        """Return 21·C."""
        return shape[0] * self.tokens(shape)

    def pool(self, latents: Latents, regions: Regions) -> NDArray[np.float32]:
        """Return (n, 21·C) means."""
        rows, columns = (
            np.concatenate([covering(adaptive(size, level), size) for level in LEVELS])
            for size in latents.shape[2:]
        )
        every = cell_means(latents, rows, columns)
        ends = accumulate(LEVELS)
        spans = [slice(end - level, end) for level, end in zip(LEVELS, ends, strict=True)]
        grids = [every[:, :, span, span] for span in spans]
        return np.concatenate([tokens_first(grid) for grid in grids], axis=1)
