"""The nearest neighbors of samples in an embedding, and what they say of each sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.neighbors.rows import DistanceMetric
from latentmap.store.files import reading
from latentmap.store.tables import check_ids, facts_of, matrix, numbers, read_parquet

MOST = 15
"""Neighbors of a sample that are told."""

ROWS = 4096
"""Of a chunk: half a megabyte."""


@dataclass(frozen=True)
class Nearest:
    """The nearest neighbors of every sample, nearest first.

    Attributes:
        rows: (N, k) int32 row numbers, -1 where there are fewer.
        distances: (N, k) float32, infinite where there are fewer.
        elsewhere: (N, k) as `rows`, among samples of other source groups.
        distance_elsewhere: (N,) to the nearest of these; infinite if there is none.
        metric: of the distances.
    """

    rows: NDArray[np.int32]
    distances: NDArray[np.float32]
    elsewhere: NDArray[np.int32]
    distance_elsewhere: NDArray[np.float32]
    metric: DistanceMetric

    def purity(self, labels: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the share of each sample's neighbors with its label, (N,).

        Neighbors are those of other source groups, where there are any; those without a label
        do not count.

        Args:
            labels: (N,) number of each sample's label, -1 for none.

        Returns:
            NaN where a sample or all of its neighbors have no label.
        """
        neighbors = self.elsewhere if (self.elsewhere >= 0).any() else self.rows
        theirs = np.append(labels, -1)[neighbors]
        known = (theirs >= 0).sum(axis=1)
        same = (theirs == labels[:, np.newaxis]).sum(axis=1)
        found = np.full(len(labels), np.nan)
        return np.divide(same, known, out=found, where=(known > 0) & (labels >= 0))

    def chunks(self, groups: NDArray[np.intp]) -> Iterator[pa.Table]:
        """Yield the lists of some samples after the other.

        Args:
            groups: (N,) number of each sample's source group.
        """
        same = (np.append(groups, -1)[self.rows] == groups[:, np.newaxis]).astype(np.uint8)
        columns = {"neighbor": self.rows, "distance": self.distances, "same_source": same}
        for start in range(0, len(groups), ROWS):
            yield pa.table(
                {name: _lists(values[start : start + ROWS]) for name, values in columns.items()}
            )


def _lists(values: NDArray[np.generic]) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(numbers(values), values.shape[1])


def read_nearest(path: Path, ids: Sequence[str]) -> Nearest:
    """Read the nearest neighbors of samples from a neighbor graph.

    Raises:
        LatentmapError: it is that of other samples.
    """
    names = ["id", "indices", "distances", "indices_grouped", "distances_grouped"]
    table = read_parquet(path, names)
    check_ids(path, table["id"].to_pylist(), ids)
    with reading(path, "a neighbor graph"):
        rows, distances, elsewhere, far = (
            np.ascontiguousarray(matrix(table[name])[:, :MOST]) for name in names[1:]
        )
        return Nearest(rows, distances, elsewhere, far[:, 0], facts_of(table)["metric"])
