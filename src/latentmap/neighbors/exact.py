"""Exact nearest neighbors, with and without the row's own source group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from latentmap.neighbors.distances import Points, row_blocks
from latentmap.neighbors.graph import NeighborGraph
from latentmap.neighbors.lists import check_finite, distinct, fill, unfilled
from latentmap.neighbors.rotation import rotate


def find_neighbors(
    ids: Sequence[str], values: NDArray[np.float32], source_groups: Sequence[str], k: int
) -> NeighborGraph:
    """Find the k nearest other rows of every row, by Euclidean distance.

    Neighbors are in the order of their float32 distance, then of their row number.
    Distances are exact to float32, and the same on every processor.

    Args:
        ids: (N,) sample ids.
        values: (N, D) float32.
        source_groups: (N,) names of what must not leak.
        k: neighbors per row.

    Raises:
        LatentmapError: a row has a value that is not finite.
    """
    check_finite(ids, values)
    firsts, place = distinct(values)
    points = Points(values if len(firsts) == len(values) else values[firsts])
    groups = np.unique(np.asarray(source_groups, np.str_), return_inverse=True)[1]
    every, grouped = unfilled(len(values), k), unfilled(len(values), k)
    for block in row_blocks(len(firsts)):
        distances = points.distances(block)
        members = np.flatnonzero((place >= block.start) & (place < block.stop))
        for part in row_blocks(len(values)):
            rows = members[part]
            candidates = distances[place[rows] - block.start].take(place, axis=1)
            candidates[np.arange(len(rows)), rows] = np.inf
            fill(every, rows, candidates)
            candidates[groups[rows, np.newaxis] == groups] = np.inf
            fill(grouped, rows, candidates)
    return NeighborGraph(list(ids), every, grouped, rotate(points, place))


class Distances:
    """Exact distances from some rows of a table to all others; identical rows are compared once.

    Args:
        values: (N, D) float32.
    """

    def __init__(self, values: NDArray[np.float32]) -> None:
        firsts, self._place = distinct(values)
        self._points = Points(values if len(firsts) == len(values) else values[firsts])

    def to_others(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return (b, N) distances from `rows` (b,) to every row; infinite to the row itself."""
        chosen, position = np.unique(self._place[rows], return_inverse=True)
        distances = self._points.distances(chosen)[position].take(self._place, axis=1)
        distances[np.arange(len(rows)), rows] = np.inf
        return distances
