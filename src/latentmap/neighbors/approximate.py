"""Approximate nearest neighbors of long tables: neighbors of neighbors, compared block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from latentmap.neighbors.distances import Points, row_blocks
from latentmap.neighbors.exact import Distances
from latentmap.neighbors.graph import NeighborGraph, NeighborList
from latentmap.neighbors.lists import check_finite, distinct, fill, unfilled

# Up to so many distinct rows all are compared with all.
FEWEST = 1000
# Neighbors that the descent looks for: as many as this memory allows, which grows with their
# square (measured: 13 bytes × rows × neighbors²), within these bounds.
MEMORY = 4 * 2**30
DEGREES = (30, 60)
# Rows that lie together and are compared at once: more of them together reach more rows, of which
# few are near them all.
TOGETHER = 160


def find_neighbors(
    ids: Sequence[str],
    values: NDArray[np.float32],
    source_groups: Sequence[str],
    k: int,
    seed: int,
) -> NeighborGraph:
    """Find nearly all of the k nearest other rows of every row, by Euclidean distance.

    Nearest-neighbor descent (Dong et al. 2011, doi:10.1145/1963405.1963487) finds a few neighbors
    of every distinct row. Then rows that lie together are compared, by blocked products, with all
    that their neighbors and the neighbors of these have as neighbors. So distances are as exact as
    those of `exact.find_neighbors`, and so is the order of neighbors, that of identical rows too;
    what may lack are neighbors that the descent leads nobody to. A row that meets fewer than k
    rows of other source groups is compared with all rows. Of many identical rows only the first
    stand for all: so many that no list has room for more.

    Args:
        ids: (N,) sample ids.
        values: (N, D) float32.
        source_groups: (N,) names of what must not leak.
        k: neighbors per row.
        seed: of the search.

    Raises:
        LatentmapError: a row has a value that is not finite.
    """
    check_finite(ids, values)
    firsts, place = distinct(values)
    points = values if len(firsts) == len(values) else values[firsts]
    near = _descent(points, k, seed) if len(points) > FEWEST else None
    groups = np.unique(np.asarray(source_groups, np.str_), return_inverse=True)[1]
    every, grouped = unfilled(len(values), k), unfilled(len(values), k)
    members, standing = _Rows(place, np.arange(len(place))), _Rows(place, _first(place, groups, k))
    for leaf in _leaves(points, np.random.default_rng(seed)):
        reached = _reached(leaf, near) if near is not None else np.arange(len(points))
        distances = Points(points[reached]).distances(np.searchsorted(reached, leaf))
        rows, candidates = members.of(leaf), standing.of(reached)
        origin, target = (
            np.searchsorted(numbers, place[chosen])
            for numbers, chosen in ((leaf, rows), (reached, candidates))
        )
        for part in row_blocks(len(candidates), len(rows)):
            expanded = distances[origin[part]].take(target, axis=1)
            _fill_both(every, grouped, rows[part], expanded, candidates, groups)
    _complete(grouped, values, groups)
    return NeighborGraph(list(ids), every, grouped)


def _descent(points: NDArray[np.float32], k: int, seed: int) -> NDArray[np.int32]:
    """Return some near neighbors of every row, (M, at most k)."""
    import manifolds_rs

    affordable = int((MEMORY / (13 * len(points))) ** 0.5)
    degree = min(max(affordable, DEGREES[0]), DEGREES[1], max(k, DEGREES[0]))
    found = manifolds_rs.knn_graph(points, degree, ann="nndescent", seed=seed)[0]
    return found.astype(np.int32)


def _reached(leaf: NDArray[np.intp], near: NDArray[np.int32]) -> NDArray[np.intp]:
    """Return some rows, their neighbors, and what these have as neighbors, ascending."""
    return np.union1d(near[np.union1d(near[leaf], leaf)], leaf)


def _leaves(points: NDArray[np.float32], rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Halve a table between pairs of its rows, until what lies together is one block.

    Sums are NumPy's own, which no number of threads changes.
    """
    pending = [np.arange(len(points))]
    while pending:
        rows = pending.pop()
        if len(rows) <= TOGETHER:
            yield np.sort(rows)
            continue
        one, other = points[rng.choice(rows, 2, replace=False)]
        order = np.argsort(np.einsum("ij,j->i", points[rows], one - other), kind="stable")
        pending += np.array_split(rows[order], 2)


def _first(place: NDArray[np.intp], groups: NDArray[np.intp], k: int) -> NDArray[np.intp]:
    """Return the rows that identical ones are listed by, ascending.

    These are the first k + 1 of each set, and the first of each of its first k + 1 groups.
    """
    rows = np.arange(len(place))
    _, first = np.unique(np.stack([place, groups]), axis=1, return_index=True)
    kept = [chosen[_rank(place[chosen]) <= k] for chosen in (rows, np.sort(first))]
    return np.union1d(*kept)


def _rank(place: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return how many entries before each one equal it."""
    order = np.argsort(place, kind="stable")
    rank = np.empty(len(place), np.intp)
    rank[order] = np.arange(len(place)) - np.searchsorted(place[order], place[order])
    return rank


class _Rows:
    """Rows of a table by the distinct row that they equal.

    Args:
        place: (N,) number of the distinct row that each row equals.
        rows: which rows, ascending; at least one for each distinct row.
    """

    def __init__(self, place: NDArray[np.intp], rows: NDArray[np.intp]) -> None:
        self._order = rows[np.argsort(place[rows], kind="stable")]
        self._ends = np.cumsum(np.bincount(place[rows]))

    def of(self, numbers: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the rows that equal these distinct rows, ascending."""
        starts = np.append(0, self._ends)[numbers]
        counts = self._ends[numbers] - starts
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.sort(self._order[np.repeat(starts, counts) + offsets])


def _fill_both(
    every: NeighborList,
    grouped: NeighborList,
    rows: NDArray[np.intp],
    distances: NDArray[np.float32],
    candidates: NDArray[np.intp],
    groups: NDArray[np.intp],
) -> None:
    """Write the nearest candidates into both lists; `distances` (b, M) are overwritten."""
    distances[rows[:, np.newaxis] == candidates] = np.inf
    fill(every, rows, distances, candidates)
    distances[groups[rows, np.newaxis] == groups[candidates]] = np.inf
    fill(grouped, rows, distances, candidates)


def _complete(grouped: NeighborList, values: NDArray[np.float32], groups: NDArray[np.intp]) -> None:
    """Compare rows with all rows if they have fewer neighbors of other groups than there are."""
    others = len(groups) - np.bincount(groups)[groups]
    listed = (grouped.indices >= 0).sum(axis=1)
    short = np.flatnonzero(listed < np.minimum(others, grouped.k))
    if not len(short):
        return
    exact = Distances(values)
    for part in row_blocks(len(values), len(short)):
        rows = short[part]
        distances = exact.to_others(rows)
        distances[groups[rows, np.newaxis] == groups] = np.inf
        fill(grouped, rows, distances)
