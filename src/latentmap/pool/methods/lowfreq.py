"""Lowest 4×4 frequencies (2D cosine transform) of each channel: the coarse layout of the image."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.pool.grids import Weights, separable
from latentmap.pool.method import Latents, PoolingMethod, Regions, Shape

FREQUENCIES = 4


class LowFrequencies(PoolingMethod):
    """Lowest coefficients of the orthonormal 2D DCT-II of each channel.

    The vector lists the channels, each with its coefficients by vertical, then by horizontal
    frequency. A side of fewer than 4 positions has only as many frequencies.
    """

    reference: ClassVar[str] = "Ahmed, Natarajan & Rao 1974, Discrete cosine transform"

    @classmethod
    def account(cls) -> tuple[str, ...]:
        """Return the coefficients."""
        return (f"cosines_{FREQUENCIES}",)

    def tokens(self, shape: Shape) -> int:
        """Return 1."""
        return 1

    def dims(self, shape: Shape) -> int:
        """Return C·min(4, H)·min(4, W)."""
        channels, height, width = shape
        return channels * min(FREQUENCIES, height) * min(FREQUENCIES, width)

    def pool(self, latents: Latents, regions: Regions) -> NDArray[np.float32]:
        """Return (n, C·16) coefficients."""
        rows, columns = (_cosines(size) for size in latents.shape[2:])
        # Scaled at the end, sums without waves are exact.
        scales = np.outer(_squares(latents.shape[2]), _squares(latents.shape[3])) ** 0.5
        coefficients = separable(latents, rows, columns) * scales
        return coefficients.astype(np.float32).reshape(len(latents), -1)


def _cosines(size: int) -> Weights:
    """Return the lowest rows of the DCT-II matrix, (4, size), of waves between -1 and 1."""
    frequencies = np.arange(min(FREQUENCIES, size))[:, None]
    return np.cos(np.pi / size * (np.arange(size) + 0.5) * frequencies)


def _squares(size: int) -> NDArray[np.float64]:
    """Return the squared factors, (4,), that make these rows orthonormal."""
    return np.array([1, *[2] * (min(FREQUENCIES, size) - 1)]) / size
