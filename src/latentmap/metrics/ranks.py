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
