"""Mean over all positions, scaled to length 1: the mix of the channels, not their strength."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.pool.method import Latents, PoolingMethod, Regions, Shape


class L2NormMean(PoolingMethod):
    """Channel means divided by their Euclidean length; Euclidean distances become cosine ones.

    A vector of zeros has no direction and stays as it is.
    """

    reference: ClassVar[str] = (
        "Babenko & Lempitsky 2015, Aggregating deep convolutional features (SPoC)"
    )

    @classmethod
    def account(cls) -> tuple[str, ...]:
        """Return the scaled mean."""
        return ("unit_mean",)

    def tokens(self, shape: Shape) -> int:
        """Return 1."""
        return 1

    def dims(self, shape: Shape) -> int:
        """Return C."""
        return shape[0]

    def pool(self, latents: Latents, regions: Regions) -> NDArray[np.float32]:
        """Return (n, C) means of length 1."""
        means = latents.mean(axis=(2, 3))
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        return means / np.where(lengths > 0, lengths, 1)
