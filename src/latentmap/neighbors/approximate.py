"""Approximate nearest neighbors of long tables: by descent, and by blocks where that is too few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.neighbors.distances import Points, row_blocks
from latentmap.neighbors.exact import Distances
from latentmap.neighbors.graph import NeighborGraph
from latentmap.neighbors.lists import check_finite, distinct, fill, unfilled, write_nearest

# Up to so many distinct rows all are compared with all.
FEWEST = 1000
# Neighbors that the descent looks for: as many as this memory allows, which grows with their
# square (measured: 13 bytes × rows × neighbors²), within these bounds.
MEMORY = 5 * 2**30
DEGREES = (30, 60)
# Candidates beyond k, of which some are of the row's own group.
MARGIN = 6
# Rows that lie together and are compared at once: more of them together reach more rows, of which
# few are near them all.
TOGETHER = 160
# Pairs of rows that are measured and sorted at once.
PAIRS = 2**20


def find_neighbors(
    ids: Sequence[str],
    values: NDArray[np.float32],
    source_groups: Sequence[str],
    k: int,
    seed: int,
) -> NeighborGraph:
    """Find nearly all of the k nearest other rows of every row, by Euclidean distance.

    Nearest-neighbor descent (Dong et al. 2011, doi:10.1145/1963405.1963487) finds some neighbors
    of every distinct row. Rows whose lists these do not fill, because k is larger or many are of
    the row's own group, are compared block by block with the neighbors of the neighbors of what
    lies together; rows that still lack neighbors are compared with all. What may lack are
    neighbors that the descent leads nobody to; those that are found have exact distances, and are
    in their order, identical rows too. Of many identical rows only the first stand for all: so
    many that no list has room for more.

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
    lists = _Lists(values, source_groups, k)
    near = _near(lists.points, k + MARGIN, seed)
    if near.shape[1] >= min(k, len(lists.points) - 1):
        own = lists.place[:, np.newaxis]
        lists.fill(np.arange(len(values)), np.hstack([own, near[lists.place]]))
    for rows in _leaves(values, lists.short(), np.random.default_rng(seed)):
        _compare(lists, rows, near)
    lists.complete(values)
    return NeighborGraph(list(ids), lists.every, lists.grouped)


def _near(points: NDArray[np.float32], degree: int, seed: int) -> NDArray[np.int32]:
    """Return near neighbors of every row, (M, c): `degree` of them if these are affordable."""
    if len(points) > FEWEST:
        return _descent(points, degree, seed)
    distances = Points(points).distances(slice(None))
    np.fill_diagonal(distances, -1)
    return np.argsort(distances, axis=1)[:, 1 : degree + 1].astype(np.int32)


def _descent(points: NDArray[np.float32], degree: int, seed: int) -> NDArray[np.int32]:
    """Return near neighbors of every row, as many as memory allows."""
    import manifolds_rs

    affordable = int((MEMORY / (13 * len(points))) ** 0.5)
    degree = max(min(degree, affordable, DEGREES[1]), DEGREES[0])
    found = manifolds_rs.knn_graph(points, degree, ann="nndescent", seed=seed)[0]
    return found.astype(np.int32)


class _Lists:
    """Both neighbor lists of a table, filled from candidates among its distinct rows.

    Args:
        values: (N, D) float32.
        source_groups: (N,) names of what must not leak.
        k: neighbors per row.
    """

    def __init__(self, values: NDArray[np.float32], source_groups: Sequence[str], k: int) -> None:
        count = len(values)
        firsts, self.place = distinct(values)
        self.points = values if len(firsts) == count else values[firsts]
        self.every, self.grouped = unfilled(count, k), unfilled(count, k)
        self._groups = np.unique(np.asarray(source_groups, np.str_), return_inverse=True)[1]
        others = count - np.bincount(self._groups)[self._groups]
        self._there = np.minimum(k, [np.full(count, count - 1), others])
        standing = _first(self.place, self._groups, k)
        self._standing = standing[np.argsort(self.place[standing], kind="stable")]
        self._counts = np.bincount(self.place[standing])
        self._starts = np.cumsum(self._counts) - self._counts

    def short(self, rows: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
        """Return the rows (among these) with fewer neighbors in one list than there are."""
        rows = np.arange(len(self.place)) if rows is None else rows
        lists = self.every.indices[rows], self.grouped.indices[rows]
        listed = [(indices >= 0).sum(axis=1) for indices in lists]
        return rows[(listed < self._there[:, rows]).any(axis=0)]

    def fill(self, rows: NDArray[np.intp], numbers: NDArray[np.integer[Any]]) -> None:
        """Write the nearest candidates of some rows into their lists.

        Args:
            rows: (b,) rows.
            numbers: (b, c) distinct rows, each once: the one that the row equals, and those near
                it. All rows that equal them are candidates.
        """
        pairs = self._counts[numbers].sum()
        for part in np.array_split(np.arange(len(rows)), 1 + pairs // PAIRS):
            row, candidate, distance = self._pairs(rows[part], numbers[part])
            for neighbors, other in (
                (self.every, candidate != row),
                (self.grouped, self._groups[candidate] != self._groups[row]),
            ):
                neighbors.indices[rows[part]], neighbors.distances[rows[part]] = -1, np.inf
                write_nearest(neighbors, row[other], candidate[other], distance[other])

    def _pairs(
        self, rows: NDArray[np.intp], numbers: NDArray[np.integer[Any]]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
        """Return rows, their candidates and the distances between them, nearest first."""
        rows, numbers = np.repeat(rows, numbers.shape[1]), numbers.ravel()
        distances = Points(self.points).between(self.place[rows], numbers)
        counts = self._counts[numbers]
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        candidates = self._standing[np.repeat(self._starts[numbers], counts) + offsets]
        rows, distances = np.repeat(rows, counts), np.repeat(distances, counts)
        order = np.lexsort((candidates, distances, rows))
        return rows[order], candidates[order], distances[order]

    def complete(self, values: NDArray[np.float32]) -> None:
        """Compare rows with all rows if they still have fewer neighbors than there are."""
        short = self.short()
        if not len(short):
            return
        exact = Distances(values)
        for part in row_blocks(len(values), len(short)):
            rows = short[part]
            distances = exact.to_others(rows)
            fill(self.every, rows, distances)
            distances[self._groups[rows, np.newaxis] == self._groups] = np.inf
            fill(self.grouped, rows, distances)


def _compare(lists: _Lists, rows: NDArray[np.intp], near: NDArray[np.int32]) -> None:
    """Fill the lists of rows that lie together from the neighbors of their neighbors.

    Only the rows whose own group leaves too few of the nearest get more of them.
    """
    numbers, own = np.unique(lists.place[rows], return_inverse=True)
    reached = _reached(numbers, near)
    centred = lists.points[reached] - lists.points[numbers].mean(axis=0)
    itself = np.searchsorted(reached, numbers)
    # Half the squared distances, up to a constant for every row.
    farness = np.einsum("ij,ij->i", centred, centred) / 2 - centred[itself] @ centred.T
    farness[np.arange(len(numbers)), itself] = -np.inf
    wide = 1 + lists.every.k + MARGIN
    while len(rows):
        wide = min(wide, len(reached))
        nearest = np.argpartition(farness[own], wide - 1, axis=1)[:, :wide]
        lists.fill(rows, reached[nearest])
        lacking = np.isin(rows, lists.short(rows)) & (wide < len(reached))
        rows, own, wide = rows[lacking], own[lacking], 4 * wide


def _reached(numbers: NDArray[np.intp], near: NDArray[np.int32]) -> NDArray[np.intp]:
    """Return some distinct rows, their neighbors, and the neighbors of these, ascending."""
    reached = np.zeros(len(near), np.bool_)
    reached[numbers] = True
    for _ in range(2):
        reached[near[reached]] = True
    return np.flatnonzero(reached)


def _leaves(
    values: NDArray[np.float32], rows: NDArray[np.intp], rng: np.random.Generator
) -> Iterator[NDArray[np.intp]]:
    """Halve rows of a table between pairs of them, until what lies together is one block.

    Sums are NumPy's own, which no number of threads changes.
    """
    pending = [rows] if len(rows) else []
    while pending:
        rows = pending.pop()
        if len(rows) <= TOGETHER:
            yield np.sort(rows)
            continue
        one, other = values[rng.choice(rows, 2, replace=False)]
        order = np.argsort(np.einsum("ij,j->i", values[rows], one - other), kind="stable")
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
