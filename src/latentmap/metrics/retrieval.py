"""Retrieval: how far down the ranking of all others a sample finds those of its label.

With R other samples of a query's label, R-precision is the share of the R nearest that have it, and
MAP@R the sum of the precision at each of these ranks that holds one, over R; both are means over
queries (Musgrave et al. 2020, arXiv:2003.08505). Unlike shares of k neighbors, they reach 1 for
labels of any size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.metric import LabelledEmbedding
from latentmap.neighbors.distances import row_blocks
from latentmap.neighbors.lists import distinct

Numbers = NDArray[np.float64]
Codes = NDArray[np.intp]

# Of a sorting key the lower bits are the row, so that no two keys of a ranking are equal.
ROW_BITS = 32
# Ranks that are looked at together, so that they stay in the processor's cache.
CELLS = 2**20
# Labels times groups for each sample, above which they are numbered anew to be counted.
SPARSE = 32


@dataclass(frozen=True)
class Retrieval:
    """What each query retrieves.

    Attributes:
        groups: (N,) groups whose samples are not ranked for each other.
        relevant: (N,) R, the others that have the sample's label; 0 where it is no query.
        precisions: (2, N) R-precision and average precision at R; NaN where R is 0.
        influence: (2, N) by how much each sample, being there, raises the precisions of queries
            of other source groups above the values, summed.
        asked_of: (N,) how many of these would be no queries without it.
        queries: (n,) the rows that were asked, as they were given.
        nearest: (n, depth) the samples of other groups nearest to each, whatever their labels; N
            where there are no more.
    """

    groups: Codes
    relevant: Codes
    precisions: Numbers
    influence: Numbers
    asked_of: Numbers
    queries: Codes
    nearest: Codes

    @cached_property
    def values(self) -> Numbers:
        """(2,) R-precision and MAP@R."""
        return np.nanmean(self.precisions, axis=1)

    @property
    def ranked(self) -> Codes:
        """(n,) how many samples are ranked for each query."""
        return (len(self.groups) - np.bincount(self.groups)[self.groups])[self.queries]

    def without_groups(self, sources: Codes) -> Numbers:
        """Return the values without each source group, (2, groups).

        Its queries are not asked, and what each of its samples changes in the rankings of others
        is added up (exactly for groups of one sample).

        Args:
            sources: (N,) number of each sample's source group.
        """
        asked = self.relevant > 0
        own = np.where(asked, self.precisions - self.values[:, np.newaxis], 0)
        lost = np.stack([np.bincount(sources, each) for each in own + self.influence])
        left = asked.sum() - np.bincount(sources, asked + self.asked_of)
        without = self.values[:, np.newaxis] - lost / np.where(left > 0, left, np.nan)
        return np.clip(without, 0, 1)


def retrieve(
    data: LabelledEmbedding, queries: Codes, *, grouped: bool, depth: int = 0
) -> list[Retrieval]:
    """Rank all other samples for each query by distance, then by row number.

    Args:
        data: the embedding.
        queries: rows to rank the others for.
        grouped: whether to rank those of other source groups alone, too.
        depth: so many of the nearest are kept for each query.

    Returns:
        What is retrieved among all other samples and, if asked for, among those of other groups.
    """
    apart = [np.arange(len(data.codes)), *([data.sources] if grouped else [])]
    lists = [_List(data.codes, groups, data.sources, queries, depth) for groups in apart]
    # Of a ranking so many are looked at: the relevant and one more, or as many as are kept, and
    # those of the own group.
    reach = np.maximum(lists[0].relevant + 1, depth)
    if grouped:
        reach += np.bincount(data.sources)[data.sources]
    for rows, ranking in _rankings(data, queries, reach):
        for found in lists:
            found.add(rows, ranking)
    return [found.retrieval() for found in lists]


def _rankings(
    data: LabelledEmbedding, queries: Codes, reach: Codes
) -> Iterator[tuple[Codes, NDArray[np.intp]]]:
    """Yield some of the queries, (b,), and the rows of the samples nearest to them, (b, n).

    Nearest first, of equally distant ones the lower row; n is at least what the queries reach to.

    Args:
        data: the embedding.
        queries: rows to rank the others for.
        reach: (N,) how many others are needed.
    """
    order = queries[np.argsort(reach[queries], kind="stable")]
    for rows, keys in _keys(data, order):
        length = min(int(reach[rows[-1]]), len(data.codes) - 1)
        keys.partition(length - 1, axis=1)
        keys = keys[:, :length]
        keys.sort(axis=1)
        ranking = (keys & np.uint64(2**ROW_BITS - 1)).astype(np.intp)
        for some in np.array_split(np.arange(len(rows)), 1 + ranking.size // CELLS):
            yield rows[some], ranking[some]


def _keys(data: LabelledEmbedding, order: Codes) -> Iterator[tuple[Codes, NDArray[np.uint64]]]:
    """Yield rows and keys (b, N) that sort all samples by their distance, then by row number."""
    firsts, place = distinct(data.compact)
    columns = np.arange(len(place), dtype=np.uint64)
    are_few = len(order) < len(place)
    for part in row_blocks(len(place), len(order) if are_few else None):
        rows = order[part]
        distances = data.points.distances(rows)
        if len(firsts) < len(place):
            # Rows that are identical are as far.
            distances = distances[:, firsts[place]]
        distances[np.arange(len(rows)), rows] = np.inf
        # The bits of positive floating-point numbers are in the order of the numbers.
        keys = distances.view(np.uint32).astype(np.uint64)
        keys <<= np.uint64(ROW_BITS)
        keys |= columns
        yield rows, keys


class _List:
    """Precisions among some samples, gathered from one block of rankings at a time.

    Args:
        codes: (N,) label of each sample.
        groups: (N,) groups whose samples are not ranked for each other.
        sources: (N,) source group of each sample.
        queries: rows of the queries.
        depth: so many of the nearest are kept.
    """

    def __init__(
        self, codes: Codes, groups: Codes, sources: Codes, queries: Codes, depth: int
    ) -> None:
        self._codes, self._groups, self._sources = codes, groups, sources
        self._queries = queries
        self.relevant = np.zeros(len(codes), np.intp)
        self.relevant[queries] = relevant_elsewhere(codes, groups)[queries]
        self._precisions = np.full((2, len(codes)), np.nan)
        self._received, self._beyond = np.zeros((2, 2, len(codes)))
        self._nearest = np.full((len(codes), depth), len(codes))

    def add(self, rows: Codes, ranking: Codes) -> None:
        """Look at the rankings (b, n) of some rows, nearest first."""
        self._keep(rows, ranking)
        there = self.relevant[rows] > 0
        rows, ranking = rows[there], ranking[there]
        if not len(rows):
            return
        found = _Ranked(
            self.relevant[rows, np.newaxis],
            self._codes[ranking] == self._codes[rows, np.newaxis],
            self._groups[ranking] != self._groups[rows, np.newaxis],
        )
        self._precisions[:, rows] = found.precisions
        self._beyond[:, rows] = found.beyond
        others = self._sources[ranking] != self._sources[rows, np.newaxis]
        counted = found.within & others
        for received, influence in zip(self._received, found.influences(), strict=True):
            received += np.bincount(ranking[counted], influence[counted], len(received))

    def _keep(self, rows: Codes, ranking: Codes) -> None:
        depth = self._nearest.shape[1]
        if not depth:
            return
        kept = self._groups[ranking] != self._groups[rows, np.newaxis]
        kept &= kept.cumsum(axis=1, dtype=np.int32) <= depth
        nearest = np.full((len(rows), depth), len(self._codes))
        nearest[np.arange(depth) < kept.sum(axis=1)[:, np.newaxis]] = ranking[kept]
        self._nearest[rows] = nearest

    def retrieval(self) -> Retrieval:
        """Return what was found."""
        # Without its only relevant sample a query is none.
        alone = (self.relevant == 1).astype(np.float64)
        asked_of = _elsewhere(self._codes, self._sources, alone)
        asked = max(np.count_nonzero(self.relevant), 1)
        values = np.nansum(self._precisions, axis=1, keepdims=True) / asked
        influence = self._received + np.stack(
            [
                _elsewhere(self._codes, self._sources, of_relevant)
                for of_relevant in self._beyond - alone * values
            ]
        )
        return Retrieval(
            self._groups,
            self.relevant,
            self._precisions,
            influence,
            asked_of,
            self._queries,
            self._nearest[self._queries],
        )


def relevant_elsewhere(codes: Codes, groups: Codes) -> Codes:
    """Return how many samples of other groups have each sample's label, (N,)."""
    return _elsewhere(codes, groups, np.ones(len(codes))).astype(np.intp)


def _elsewhere(codes: Codes, groups: Codes, values: Numbers) -> Numbers:
    """Return the sum of a value over the samples of the same label in other groups, (N,)."""
    cells = codes * (int(groups.max()) + 1) + groups
    if cells.max() > SPARSE * len(cells):  # most numbers stand for no sample
        cells = np.unique(cells, return_inverse=True)[1]
    of_label, of_cell = (np.bincount(each, values)[each] for each in (codes, cells))
    total: Numbers = (of_label - of_cell).astype(np.float64)
    return total


class _Ranked:
    """Some rankings, with what each ranked sample does to the precisions by being there.

    Args:
        relevant: (b, 1) R of each query, at least 1.
        same: (b, n) whether a sample in the ranking has the query's label.
        ranked: (b, n) whether it counts; rankings reach to rank R + 1, or hold all that count.

    Attributes:
        within: (b, n) whether it is among the first R.
        precisions: (2, b) R-precision, and average precision at R.
        beyond: (2, b) how much a relevant sample adds that is not among the first R. Without it
            one less is looked at.
    """

    def __init__(self, relevant: Codes, same: NDArray[np.bool_], ranked: NDArray[np.bool_]) -> None:
        self._same = same
        self._relevant = relevant[:, 0]
        self._rank = rank = ranked.cumsum(axis=1, dtype=np.int32)
        found = same & ranked
        self._count = found.cumsum(axis=1, dtype=np.int32)
        self.within = ranked & (rank <= relevant)
        self._hits = hits = found & self.within
        self._number = number = hits.sum(axis=1)
        self._precision: Numbers = np.where(hits, self._count / np.maximum(rank, 1), 0)
        total = self._precision.sum(axis=1)
        self.precisions = np.stack([number, total]) / self._relevant
        last = (hits & (rank == relevant)).any(axis=1)
        without = np.stack([number - last, total - last * self.precisions[0]])
        self.beyond = self.precisions - self._over_fewer(without)
        self._next = (found & (rank == relevant + 1)).any(axis=1)

    def influences(self) -> Iterator[Numbers]:
        """Yield by how much each sample within raises either precision, (b, n).

        Of relevant ones it is that beyond what one not within does.
        """
        right = self._over_fewer(self._number - 1)
        wrong = (self._number + self._next) / self._relevant
        yield self._raised(0, right[:, np.newaxis], wrong[:, np.newaxis])
        before = self._precision.cumsum(axis=1) - self._precision
        moved = self._next * (self._number + 1) / self._relevant
        yield self._raised(
            1,
            self._over_fewer((before + self._farther(1)).T).T,
            (before + self._farther(0) + moved[:, np.newaxis]) / self._relevant[:, np.newaxis],
        )

    def _farther(self, fewer: int) -> Numbers:
        """Return the summed precisions at hits farther down, one rank up and so many hits fewer."""
        up = (self._count - fewer) / np.maximum(self._rank - 1, 1)
        moved: Numbers = np.where(self._hits, up, 0)
        rest: Numbers = moved.sum(axis=1, keepdims=True) - moved.cumsum(axis=1)
        return rest

    def _raised(self, place: int, right: Numbers, wrong: Numbers) -> Numbers:
        value, beyond = (each[place][:, np.newaxis] for each in (self.precisions, self.beyond))
        return np.where(self._same, value - right - beyond, value - wrong)

    def _over_fewer(self, sums: Numbers | NDArray[np.integer]) -> Numbers:
        """Return (…, b) sums over one relevant sample less; 0 where none is left."""
        fewer = self._relevant - 1
        shares: Numbers = np.where(fewer > 0, sums / np.maximum(fewer, 1), 0.0)
        return shares
