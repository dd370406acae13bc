"""The latent itself as one long vector: everything that there is, nothing pooled."""

from __future__ import annotations

from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.pool.method import Latents, PoolingMethod, Regions, Shape


class Flatten(PoolingMethod):
    """All values in the order C, H, W; a latent that is a vector already stays as it is.

    Tokens are those of the positions, as a model that is given everything has to take them.
    """

    reference: ClassVar[str] = "The identity; the yardstick of all pooling"
    accepts_vectors: ClassVar[bool] = True

    @classmethod
    def account(cls) -> tuple[str, ...]:
        """Return that each value counts by itself."""
        return ("value",)

    def tokens(self, shape: Shape) -> int:
        """Return H·W, or 1 for vectors."""
        return prod(shape[1:])

    def dims(self, shape: Shape) -> int:
        """Return C·H·W, or D for vectors."""
        return prod(shape)

    def pool(self, latents: Latents, regions: Regions) -> NDArray[np.float32]:
        """Return (n, C·H·W) values."""
        return latents.reshape(len(latents), -1)
