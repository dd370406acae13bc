"""How many of the exact nearest neighbors an approximate graph found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from latentmap.neighbors.distances import row_blocks
from latentmap.neighbors.exact import Distances
from latentmap.neighbors.graph import Audit, NeighborGraph, NeighborList


def audited(
    graph: NeighborGraph,
    values: NDArray[np.float32],
    source_groups: Sequence[str],
    sample: int,
    seed: int,
) -> NeighborGraph:
    """Return a graph with its audit.

    Args:
        graph: the neighbor graph.
        values: (N, D) float32 embedding that it was made from.
        source_groups: (N,) names of what must not leak.
        sample: how many rows to compare.
        seed: of the choice of rows.
    """
    return replace(graph, audit=audit(graph, values, source_groups, sample, seed))


def audit(
    graph: NeighborGraph,
    values: NDArray[np.float32],
    source_groups: Sequence[str],
    sample: int,
    seed: int,
) -> Audit:
    """Compare both lists of a graph with the exact neighbors.

    A neighbor counts as found if it is no farther than the exact k-th: of equally distant ones any
    will do.

    Args:
        graph: the neighbor graph.
        values: (N, D) float32 embedding that it was made from.
        source_groups: (N,) names of what must not leak.
        sample: how many rows to compare, each with all others; all if there are no more.
        seed: of the choice of rows.

    Returns:
        The lower recall of the two lists at the graph's k, of rows that have fewer neighbors at
        all of these; 1 where no row has any.
    """
    count = len(values)
    chosen = np.sort(np.random.default_rng(seed).permutation(count)[:sample])
    groups = np.unique(np.asarray(source_groups, np.str_), return_inverse=True)[1]
    exact, found, wanted = Distances(values), np.zeros(2, np.intp), np.zeros(2, np.intp)
    for part in row_blocks(count, len(chosen)):
        block = chosen[part]
        distances = exact.to_others(block)
        for place, neighbors in enumerate((graph.every, graph.grouped)):
            if place:
                distances[groups[block, np.newaxis] == groups] = np.inf
            hits, there = _found(neighbors, block, distances)
            found[place] += hits
            wanted[place] += there
    recall = np.divide(found, wanted, out=np.ones(2), where=wanted > 0)
    return Audit(float(recall.min()), min(graph.every.k, count - 1), len(chosen))


def _found(
    neighbors: NeighborList, rows: NDArray[np.intp], distances: NDArray[np.float32]
) -> tuple[int, int]:
    """Return how many of the k nearest of these rows are listed, and how many there are."""
    listed = neighbors.indices[rows]
    there = np.minimum(np.isfinite(distances).sum(axis=1), neighbors.k)
    nearest = np.partition(distances, min(neighbors.k, distances.shape[1]) - 1, axis=1)
    nearest = np.where(np.isfinite(nearest), nearest, -np.inf)[:, : neighbors.k]
    farthest = nearest.max(axis=1, keepdims=True)
    nearer = np.take_along_axis(distances, listed, axis=1) <= farthest
    return int((nearer & (listed >= 0)).sum()), int(there.sum())
