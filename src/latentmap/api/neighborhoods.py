"""Nearest neighbors of vectors in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentmap.api.given import Column, Rows, names_of, rows_of
from latentmap.api.tables import Tabular
from latentmap.config import checked
from latentmap.neighbors.graph import NeighborGraph
from latentmap.neighbors.rows import DistanceMetric, compared
from latentmap.neighbors.search import NeighborOptions, find_neighbors

if TYPE_CHECKING:
    import polars as pl
    from scipy.sparse import csr_matrix


@dataclass(frozen=True, repr=False)
class Neighbors(Tabular):
    """The nearest neighbors of every row, nearest first.

    Attributes:
        indices: (N, k) int32 row numbers, never the row itself; -1 where there are fewer than k.
        distances: (N, k) float32; infinite where there is none.
        metric: by which rows were compared; distances of `cosine` are those of rows of length 1,
            √(2 − 2 cos).
        recall: of an approximate search, the share of true neighbors that it found; else 1.
    """

    indices: NDArray[np.int32]
    distances: NDArray[np.float32]
    metric: str
    recall: float

    @classmethod
    def of(cls, graph: NeighborGraph, *, grouped: bool) -> Neighbors:
        """Return one of the two lists of a graph."""
        found = graph.grouped if grouped else graph.every
        recall = 1.0 if graph.audit is None else graph.audit.recall
        return cls(found.indices, found.distances, graph.metric, recall)

    def to_polars(self) -> pl.DataFrame:
        """Return one line per pair: row, place (1 is the nearest), neighbor, distance."""
        import polars as pl

        rows, places = np.nonzero(self.indices >= 0)
        return pl.DataFrame(
            {
                "row": rows,
                "place": places + 1,
                "neighbor": self.indices[rows, places],
                "distance": self.distances[rows, places],
            }
        )

    def to_sparse(self) -> csr_matrix:
        """Return the distances as an (N, N) sparse matrix, as scikit-learn and scanpy keep them."""
        from scipy.sparse import csr_matrix

        rows, places = np.nonzero(self.indices >= 0)
        pairs = (rows, self.indices[rows, places])
        return csr_matrix((self.distances[rows, places], pairs), shape=(len(self.indices),) * 2)

    @property
    def _caption(self) -> str:
        count, k = self.indices.shape
        exactness = "exact" if self.recall == 1 else f"recall {self.recall:.3f}"
        return f"{k} nearest neighbors of {count:,} samples ({self.metric}, {exactness})"


def neighbors(
    X: Rows,  # noqa: N803 (as scikit-learn calls it)
    k: int = 15,
    groups: Column | None = None,
    *,
    metric: DistanceMetric = "euclidean",
    random_state: int = 0,
) -> Neighbors:
    """Find the nearest neighbors of every sample.

    All pairs are compared up to 30,000 samples; beyond, neighbors are approximate, and `recall`
    says how many were found.

    Args:
        X: (N, D), one sample per row.
        k: neighbors per sample.
        groups: (N,) what must not leak, such as the image or the patient that a sample is from:
            neighbors are then those of other groups only.
        metric: by which samples are compared.
        random_state: seed of an approximate search.

    Raises:
        LatentmapError: a value is not finite, or lengths differ.

    Examples:
        >>> import latentmap as lm
        >>> found = lm.neighbors([[0.0], [1.0], [3.0]], k=2)
        >>> found.indices.tolist()
        [[1, 2], [0, 2], [1, 0]]
        >>> lm.neighbors([[0.0], [1.0], [3.0]], k=1, groups=["a", "a", "b"]).indices.tolist()
        [[2], [2], [1]]
    """
    values = rows_of(X, without=[groups])
    options = checked(NeighborOptions, k=k, metric=metric, seed=random_state)
    graph = graph_of(values, groups_of(groups, X, len(values)), options)
    return Neighbors.of(graph, grouped=groups is not None)


def graph_of(
    values: NDArray[np.float32], groups: NDArray[np.str_], options: NeighborOptions
) -> NeighborGraph:
    """Return the neighbor graph of vectors that are checked, as a run has it."""
    ids = [str(row) for row in range(len(values))]
    return find_neighbors(ids, compared(values, options.metric), groups.tolist(), options)


def groups_of(given: Column | None, rows: Rows, count: int) -> NDArray[np.str_]:
    """Return the source group of every row, (N,); every row is its own where none is given."""
    own = np.arange(count).astype(np.str_)
    if given is None:
        return own
    named = names_of(given, rows, count, "groups")
    return np.where(named == "", np.char.add("row ", own), named)
