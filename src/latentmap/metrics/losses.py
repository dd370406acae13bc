"""What shares of neighbors lose where a source group is left out: its samples, and all they add."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentmap.neighbors.graph import NeighborList, neighbor_labels


@dataclass(frozen=True)
class Losses:
    """What is lost without each source group: its samples, and what others find in them.

    The share of a sample is then that of the neighbors that are left. A sample of which none is
    left is lost, too.

    Attributes:
        sources: (N,) number of each sample's source group.
        shares: (N,) share of each sample with all groups.
        group: (n,) the group that is left out.
        row: (n,) a sample whose share that changes.
        change: (n,) by how much; by all of it if the sample is lost.
        is_lost: (n,) whether it is.
    """

    sources: NDArray[np.intp]
    shares: NDArray[np.float64]
    group: NDArray[np.intp]
    row: NDArray[np.intp]
    change: NDArray[np.float64]
    is_lost: NDArray[np.bool_]

    def mean_without_groups(self, parts: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the mean over parts of their samples' mean share without each source group.

        Args:
            parts: (N,) part of each sample, from 0: one of all samples, or one of each class.

        Returns:
            (groups,); NaN where no sample is left. A part without samples is left out.
        """
        groups = int(self.group.max()) + 1
        group, part, means = self._means(parts)
        before = np.bincount(parts, self.shares) / np.bincount(parts)
        gone = np.isnan(means)
        changes = np.where(gone, 0, means) - before[part]
        total = before.sum() + np.bincount(group, changes, groups)
        remaining = len(before) - np.bincount(group, gone, groups)
        return np.divide(total, remaining, out=np.full(groups, np.nan), where=remaining > 0)

    def errors(self, parts: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the jackknife's standard error of each part's mean share, (parts,).

        Args:
            parts: (N,) part of each sample, from 0.
        """
        count, groups = int(parts.max()) + 1, int(self.group.max()) + 1
        _, part, means = self._means(parts)
        before = np.bincount(parts, self.shares) / np.bincount(parts)
        changes = np.where(np.isnan(means), 0, means - before[part])
        sums, squares = (np.bincount(part, values, count) for values in (changes, changes**2))
        return np.sqrt(np.maximum((groups - 1) / groups * (squares - sums**2 / groups), 0))

    def _means(
        self, parts: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """Return the means of parts without groups that change them: group, part, mean, (n,) each.

        NaN where no sample of the part is left.
        """
        count = int(parts.max()) + 1
        sums, sizes = np.bincount(parts, self.shares), np.bincount(parts)
        cell = self.group * count + parts[self.row]
        cells = np.arange((int(self.group.max()) + 1) * count)
        if len(cells) > len(cell):  # most of them would be empty
            cells, cell = np.unique(cell, return_inverse=True)
        group, part = np.divmod(cells, count)
        left = sizes[part] - np.bincount(cell, self.is_lost, len(cells))
        sums_left = sums[part] + np.bincount(cell, self.change, len(cells))
        means = np.divide(sums_left, left, out=np.full(len(cells), np.nan), where=left > 0)
        return group, part, means


@dataclass(frozen=True)
class NeighborsBySource:
    """The neighbors of each sample by their source group, those that are missing first.

    Attributes:
        sources: (N,) number of each sample's source group.
        ranks: (N, k) place of the neighbor in the list, from 0.
        groups: (N, k) its source group; -1 where it is missing.
        same: (N, k) whether it has the sample's class.
    """

    sources: NDArray[np.intp]
    ranks: NDArray[np.intp]
    groups: NDArray[np.intp]
    same: NDArray[np.bool_]

    @classmethod
    def of(
        cls, codes: NDArray[np.intp], neighbors: NeighborList, sources: NDArray[np.intp]
    ) -> NeighborsBySource:
        """Sort the neighbors of samples with (N,) classes and source groups."""
        groups = neighbor_labels(sources, neighbors)
        same = neighbor_labels(codes, neighbors) == codes[:, np.newaxis]
        ranks = groups.argsort(axis=1)
        return cls(
            sources,
            ranks,
            np.take_along_axis(groups, ranks, axis=1),
            np.take_along_axis(same, ranks, axis=1),
        )

    def nearest(self, k: int) -> NeighborsBySource:
        """Return the k nearest of the neighbors, sorted as they are."""
        near = self.ranks < k
        return NeighborsBySource(
            self.sources,
            self.ranks[near].reshape(-1, k),
            self.groups[near].reshape(-1, k),
            self.same[near].reshape(-1, k),
        )

    def losses(self) -> Losses:
        """Leave out each source group."""
        is_first = np.ones_like(self.same)
        is_first[:, 1:] = self.groups[:, 1:] != self.groups[:, :-1]
        # Each row and group that it finds neighbors in: how many, and how many of its class.
        starts = np.flatnonzero(is_first)
        row, group = starts // self.same.shape[1], self.groups.ravel()[starts]
        number = np.diff(starts, append=self.same.size)
        same_number = np.diff(self.same.cumsum()[starts + number - 1], prepend=0)
        candidates, same = (self.groups >= 0).sum(axis=1), self.same.sum(axis=1)
        shares = same / candidates
        left = candidates[row] - number
        after = np.divide(same[row] - same_number, left, out=np.zeros(len(row)), where=left > 0)
        of_others = (group >= 0) & (group != self.sources[row])
        own = np.arange(len(self.sources))
        return Losses(
            self.sources,
            shares,
            group=np.concatenate([self.sources, group[of_others]]),
            row=np.concatenate([own, row[of_others]]),
            change=np.concatenate([-shares, (after - shares[row])[of_others]]),
            is_lost=np.concatenate([np.ones(len(own), np.bool_), (left == 0)[of_others]]),
        )
