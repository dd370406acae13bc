"""Means over nearest neighbors: the other linear smoother of many targets at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Floats = NDArray[np.floating]


@dataclass(frozen=True)
class NeighborMeans:
    """The nearest neighbors of every sample, of other source groups.

    Attributes:
        indices: (n, k) rows, -1 where a neighbor is missing.
    """

    indices: NDArray[np.int32]

    @cached_property
    def counts(self) -> NDArray[np.intp]:
        """(n,) neighbors of each sample."""
        return np.count_nonzero(self.indices >= 0, axis=1)

    def of(self, targets: Floats) -> Floats:
        """Return the means of the neighbors' (n, m) targets, (n, m); zero without neighbors."""
        # The last row is for -1.
        padded = np.append(targets, np.zeros_like(targets[:1]), axis=0)
        sums, of_neighbor = np.zeros_like(targets), np.empty_like(targets)
        for column in self.indices.T:
            np.take(padded, column, axis=0, out=of_neighbor, mode="wrap")
            sums += of_neighbor
        means: Floats = sums / np.maximum(self.counts, 1).astype(targets.dtype)[:, np.newaxis]
        return means

    def without(
        self, targets: Floats, part_of: NDArray[np.intp], parts: int
    ) -> tuple[Numbers, NDArray[np.intp]]:
        """Return the means without each of some parts of the samples, and of how many they are.

        Args:
            targets: (n, m).
            part_of: (n,) the part of each sample; other numbers are of parts that stay.
            parts: how many take turns in being left out.

        Returns:
            (n, parts, m), and (n, parts) neighbors that are left.
        """
        rows = np.arange(len(self.indices))[:, np.newaxis]
        part = part_of[self.indices]
        there = (self.indices >= 0) & (part >= 0) & (part < parts)
        cells = (rows * parts + part)[there]
        size = len(self.indices) * parts
        gone = np.bincount(cells, minlength=size).reshape(-1, parts)
        left = self.counts[:, np.newaxis] - gone
        whole = self.of(targets) * self.counts[:, np.newaxis]
        means = np.empty((len(targets), parts, targets.shape[1]))
        for column, values in enumerate(targets.T):
            taken = np.bincount(cells, values[self.indices][there], size).reshape(-1, parts)
            means[:, :, column] = (whole[:, [column]] - taken) / np.maximum(left, 1)
        return means, left
