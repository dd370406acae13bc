"""The samples for which some targets are defined, and what predicts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.exchange import Exchange
from latentmap.metrics.features import leading_columns, linear_features
from latentmap.metrics.inference import FEWEST_GROUPS, PARTS, StatisticsOptions, jackknife_parts
from latentmap.neighbors.distances import row_blocks
from latentmap.neighbors.exact import Distances
from latentmap.neighbors.graph import NeighborGraph, NeighborList
from latentmap.neighbors.lists import fill, unfilled
from latentmap.targets.neighbors import NeighborMeans
from latentmap.targets.ridge import FOLDS, Floats, Ridge, dealt

K = 10
"""Nearest neighbors whose mean is a prediction."""

# Cells of what is known of each sample without each part of the source groups: of many samples
# there are fewer parts, but so many at least.
PART_CELLS = 2**23
FEWEST_PARTS = 20


@dataclass(frozen=True)
class TargetedEmbedding:
    """One embedding whose samples have targets.

    Attributes:
        values: (N, r) float32 rows as the run compares them, of a table wider than long on their
            principal axes.
        sources: (N,) number of each sample's source group.
        graph: its neighbors.
        statistics: how chance and uncertainty are estimated.
    """

    values: NDArray[np.float32]
    sources: NDArray[np.intp]
    graph: NeighborGraph
    statistics: StatisticsOptions

    def over(self, rows: NDArray[np.intp]) -> Domain:
        """Return some of the samples, as if there were no others."""
        return Domain(self, rows)


@dataclass(frozen=True)
class Domain:
    """Some samples of an embedding.

    Attributes:
        data: the embedding.
        rows: (n,) the samples, ascending.
    """

    data: TargetedEmbedding
    rows: NDArray[np.intp]

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """(n,) number of each sample's source group, every one up to the largest in use."""
        return np.unique(self.data.sources[self.rows], return_inverse=True)[1]

    @property
    def group_count(self) -> int:
        """How many source groups there are."""
        return int(self.groups.max()) + 1

    def exchange(self, codes: NDArray[np.intp]) -> Exchange:
        """Return which samples change places in permutation tests of (n,) values."""
        scheme = self.data.statistics.scheme
        groups = np.arange(len(codes)) if scheme == "free" else self.groups
        return Exchange(codes, groups, whole=scheme != "within")

    @cached_property
    def parts(self) -> Sequence[NDArray[np.intp]]:
        """Parts of the source groups to leave out, none where these are too few."""
        if self.group_count < FEWEST_GROUPS:
            return []
        most = max(FEWEST_PARTS, min(PARTS, PART_CELLS // len(self.rows)))
        return jackknife_parts(self.groups, self.data.statistics.seed, most)

    @cached_property
    def part_of(self) -> NDArray[np.intp]:
        """(n,) the part of each sample."""
        found = np.zeros(len(self.rows), np.intp)
        for number, part in enumerate(self.parts):
            found[part] = number
        return found

    @cached_property
    def neighbor_list(self) -> NeighborList:
        """The nearest neighbors of other source groups, up to `K`, by their places in `rows`.

        From the neighbor graph of all samples where that has enough of these; else they are found
        anew.
        """
        grouped, whole = self.data.graph.grouped, len(self.data.sources)
        k = min(K, grouped.k, len(self.rows) - 1)
        if len(self.rows) == whole:
            return NeighborList(grouped.indices[:, :k], grouped.distances[:, :k])
        place = np.full(whole + 1, -1, np.int32)
        place[self.rows] = np.arange(len(self.rows), dtype=np.int32)
        found, distances = place[grouped.indices[self.rows]], grouped.distances[self.rows]
        there = found >= 0
        others = len(self.rows) - np.bincount(self.groups)[self.groups]
        if (there.sum(axis=1) < np.minimum(k, others)).any():
            return self._searched(k)
        order = np.argsort(~there, axis=1, kind="stable")[:, :k]
        distances = np.where(there, distances, np.float32(np.inf))
        return NeighborList(
            np.take_along_axis(found, order, axis=1), np.take_along_axis(distances, order, axis=1)
        )

    def _searched(self, k: int) -> NeighborList:
        """Compare all with all others; there are `measure.MOST_SAMPLES` at most."""
        distances = Distances(self.data.values[self.rows])
        found, groups = unfilled(len(self.rows), k), self.groups.astype(np.int32)
        for block in row_blocks(len(self.rows)):
            rows = np.arange(len(self.rows))[block]
            candidates = distances.to_others(rows)
            candidates[groups[rows, np.newaxis] == groups] = np.inf
            fill(found, rows, candidates)
        return found

    @property
    def neighbors(self) -> NeighborMeans:
        """What predicts by the mean of nearest neighbors."""
        return NeighborMeans(self.neighbor_list.indices)

    @cached_property
    def ridge(self) -> Ridge:
        """What predicts by ridge regression."""
        folds = dealt(self.groups, min(FOLDS, self.group_count), self.data.statistics.seed)
        return Ridge(self._features, folds)

    @property
    def _features(self) -> Floats:
        """(n, r) features as ridge regression takes them."""
        some = self.data.values[self.rows]
        return linear_features(some) if self.data.graph.rotated is None else leading_columns(some)
