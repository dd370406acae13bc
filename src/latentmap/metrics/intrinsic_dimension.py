"""How many dimensions samples vary in where they are: the intrinsic dimension."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def intrinsic_dimension(distances: NDArray[np.floating]) -> float:
    """Estimate from distances to nearest neighbors how many dimensions the samples vary in.

    The number of neighbors within a distance grows as its power of the dimension, which is
    estimated by maximum likelihood (Levina and Bickel 2005) from all samples at once: by the mean
    of the logarithms of each sample's largest distance over its smaller ones, which is one over the
    dimension without bias (MacKay and Ghahramani 2005, inference.org.uk/mackay/dimension). At few
    samples in many dimensions this is less than the number of these: it tells how distances grow
    with the number of neighbors among as many samples as there are.

    Args:
        distances: (N, k) to the nearest neighbors, ascending; infinite where there are fewer.

    Returns:
        The dimension. Neighbors that coincide with their sample tell nothing and are left out;
        infinite if all others of every sample are equally far, NaN if no two are left of any.
    """
    known = np.where(np.isfinite(distances) & (distances > 0), distances, np.nan).astype(np.float64)
    counts = np.count_nonzero(~np.isnan(known), axis=1)
    told = counts > 1
    if not told.any():
        return math.nan
    logarithms = np.log(known[told])
    ratios = np.nansum(np.nanmax(logarithms, axis=1, keepdims=True) - logarithms)
    return float((counts[told] - 1).sum() / ratios) if ratios > 0 else math.inf
