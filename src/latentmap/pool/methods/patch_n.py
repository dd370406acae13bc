"""Mean of each of n×n patches: a coarse picture, one token per patch."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.pool.grids import adaptive, cell_means, covering, tokens_first
from latentmap.pool.method import Latents, PoolingMethod, Regions, Shape


class PatchMeans(PoolingMethod):
    """Means of n×n patches; where they do not divide the positions, they overlap by a position.

    The vector lists the patches row by row, each with its C means: one token per patch.
    """

    reference: ClassVar[str] = (
        "LeCun et al. 1998, Gradient-based learning (subsampling); "
        "Dosovitskiy et al. 2021, ViT (patches as tokens)"
    )
    sizes: ClassVar = (4, 8, 16)
    size: ClassVar[int]

    @classmethod
    def obstacle(cls, shape: Shape) -> str | None:
        """Return that it asks for n positions a side, of latents with fewer."""
        if len(shape) == 3 and min(shape[1:]) < cls.size:
            return f"needs {cls.size} positions a side"
        return super().obstacle(shape)

    @classmethod
    def account(cls) -> tuple[str, ...]:
        """Return the means of cells."""
        return (f"cells_{cls.size}",)

    def tokens(self, shape: Shape) -> int:
        """Return n²."""
        return self.size**2

    def dims(self, shape: Shape) -> int:
        """Return n²·C."""
        return self.size**2 * shape[0]

    def pool(self, latents: Latents, regions: Regions) -> NDArray[np.float32]:
        """Return (b, n²·C) means of b latents."""
        rows, columns = (covering(adaptive(side, self.size), side) for side in latents.shape[2:])
        return tokens_first(cell_means(latents, rows, columns))
