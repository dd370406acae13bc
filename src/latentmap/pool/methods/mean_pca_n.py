"""First n principal components of the channel means, over all samples."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.axes import principal_axes, signs
from latentmap.pool.method import Latents, PoolingMethod, Regions, Shape


class MeanComponents(PoolingMethod):
    """First n principal components, over all samples, of the mean of each channel.

    Of each component the channel with the largest loading has a positive one. Components beyond
    the rank of the data (fewer samples, or channels that depend on each other) are zero.
    """

    reference: ClassVar[str] = (
        "Hotelling 1933, Analysis of a complex of statistical variables into principal components"
    )
    sizes: ClassVar = (2, 4, 8)
    size: ClassVar[int]

    def tokens(self, shape: Shape) -> int:
        """Return 1."""
        return 1

    def dims(self, shape: Shape) -> int:
        """Return n, or C if there are fewer channels."""
        return min(self.size, shape[0])

    def pool(self, latents: Latents, regions: Regions) -> NDArray[np.float32]:
        """Return the (b, C) means of b latents."""
        return latents.mean(axis=(2, 3))

    def finish(self, pooled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (N, n) coordinates of all samples."""
        return principal_components(pooled, min(self.size, pooled.shape[1]))


def principal_components(values: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return the coordinates (N, count) of `values` (N, D) on their principal axes, count ≤ D."""
    centred = values - values.mean(axis=0, dtype=np.float64)
    squares, axes = principal_axes(centred.T @ centred)
    # What float32 rounding alone explains is no component; its direction would be arbitrary.
    rounding = np.finfo(np.float32).eps * np.linalg.norm(values.astype(np.float64))
    axes = axes[:, squares > rounding**2][:, :count]
    coordinates = np.zeros((len(values), count), np.float32)
    coordinates[:, : axes.shape[1]] = centred @ (axes * signs(axes))
    return coordinates
