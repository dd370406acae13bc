"""Principal axes: how they are found, and which way they point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Entries that differ by less count as equally large: rounding, which differs between processors,
# must not choose between them.
TIED = 1e-3


def principal_axes(
    products: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Decompose the inner products of centred rows, or of centred columns.

    Args:
        products: (M, M), symmetric.

    Returns:
        (M,) sums of squares along the axes, the largest first, and (M, M) unit vectors, one in each
        column: of columns' products the axes themselves, of rows' products the coordinates on them,
        up to their length.
    """
    squares, vectors = np.linalg.eigh(products)
    return squares[::-1], vectors[:, ::-1]


def signs(axes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return for each axis the sign of its largest entry, of equally large ones of the first.

    Args:
        axes: (D, r), one in each column.

    Returns:
        (r,) of 1 and -1: times these, every axis has a positive largest entry.
    """
    if not axes.size:
        return np.ones(axes.shape[1])
    sizes = np.abs(axes)
    first = (sizes >= (1 - TIED) * sizes.max(axis=0)).argmax(axis=0)
    return np.where(np.take_along_axis(axes, first[np.newaxis], axis=0)[0] < 0, -1.0, 1.0)
