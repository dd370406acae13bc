"""Ranks of values, of which percentile ranks are made."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def mean_ranks(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the rank of each of (N,) values, from 0 for the lowest; ties share their mean."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = np.cumsum(counts) - (counts + 1) / 2
    return ranks[place]


def column_ranks(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the ranks of (N, m) values in their columns, as `mean_ranks` does of one."""
    count, width = values.shape
    by_column = np.ascontiguousarray(values.T)
    order = np.argsort(by_column, axis=1)
    ascending = np.take_along_axis(by_column, order, axis=1)
    starts = np.ones((width, count), np.bool_)
    starts[:, 1:] = ascending[:, 1:] != ascending[:, :-1]
    first = np.flatnonzero(starts)
    sizes = np.diff(np.append(first, count * width))
    means = np.repeat(first % count + (sizes - 1) / 2, sizes).reshape(width, count)
    ranks = np.empty((width, count))
    np.put_along_axis(ranks, order, means, axis=1)
    return np.ascontiguousarray(ranks.T)
