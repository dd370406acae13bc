"""Rows of a table that is wider than long, turned into as few dimensions as there are rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentmap.axes import principal_axes, signs
from latentmap.neighbors.distances import Points

# Beyond this many rows the axes take longer to find than what they spare.
MOST_ROWS = 4096
# A component with a smaller share of the variance is rounding of float32 values.
SMALLEST_SHARE = 1e-9


def rotate(points: Points, place: NDArray[np.intp]) -> NDArray[np.float32] | None:
    """Return the rows on their principal axes: their distances and products in fewer dimensions.

    Of every axis the largest absolute coordinate is positive.

    Args:
        points: distinct rows of a table (M, D).
        place: (N,) for each row of the table the number of the distinct row that it equals.

    Returns:
        (N, r) float32 around the mean of all N rows, r < N, the axis of largest variance first;
        none if the table is no wider than long, or too long. Squared distances are off by about
        1e-7 of the squared distances to the centre, the rounding of the float32 products.
    """
    count, dims = len(place), points.values.shape[1]
    if not count < dims or count > MOST_ROWS:
        return None
    gram = points.gram[np.ix_(place, place)]
    means = gram.mean(axis=0)
    gram += means.mean() - means - means[:, np.newaxis]
    variances, vectors = principal_axes(gram)
    kept = variances > SMALLEST_SHARE * variances.sum()
    kept[0] = True
    rotated = vectors[:, kept] * np.sqrt(np.maximum(variances[kept], 0))
    first_of_each = np.unique(place, return_index=True)[1]
    # Rows that are identical stay so.
    return (rotated * signs(rotated)).astype(np.float32)[first_of_each[place]]
