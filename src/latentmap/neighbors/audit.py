"""How many of the exact nearest neighbors an approximate graph found."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentmap.neighbors.distances import row_blocks
from latentmap.neighbors.exact import Distances
from latentmap.neighbors.graph import Audit, NeighborGraph


def audit(graph: NeighborGraph, values: NDArray[np.float32], sample: int, seed: int) -> Audit:
    """Compare a graph's neighbors among all samples with the exact ones.

    A neighbor counts as found if it is no farther than the exact k-th: of equally distant ones any
    will do.

    Args:
        graph: the neighbor graph.
        values: (N, D) float32 embedding that it was made from.
        sample: how many rows to compare, each with all others; all if there are no more.
        seed: of the choice of rows.

    Returns:
        The recall at the graph's k, or at N - 1 if that is less; 1 for a single row.
    """
    count = len(values)
    k = min(graph.every.k, count - 1)
    chosen = np.random.default_rng(seed).permutation(count)[:sample]
    if k == 0:
        return Audit(1.0, k, len(chosen))
    exact, found = Distances(values), 0
    for block in np.array_split(np.sort(chosen), len(list(row_blocks(count)))):
        if len(block):
            distances = exact.to_others(block)
            farthest = np.partition(distances, k - 1, axis=1)[:, k - 1 : k]
            listed = graph.every.indices[block]
            nearer = np.take_along_axis(distances, listed, axis=1) <= farthest
            found += int((nearer & (listed >= 0)).sum())
    return Audit(found / (k * len(chosen)), k, len(chosen))
