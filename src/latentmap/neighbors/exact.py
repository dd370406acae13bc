"""Exact nearest neighbors, with and without the row's own source group."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options
from latentmap.errors import LatentmapError
from latentmap.neighbors.distances import Points, row_blocks
from latentmap.neighbors.graph import NeighborGraph, NeighborList, write_graph
from latentmap.neighbors.rotation import rotate
from latentmap.store.samples import read_samples
from latentmap.store.tables import check_ids, read_embedding


class NeighborOptions(Options):
    """Options of the neighbor graph.

    Attributes:
        k: neighbors per row; t-SNE needs three times its perplexity, metrics need their own k.
    """

    k: int = Field(default=90, ge=1)


def find_graph(
    embedding: Path | str, samples: Iterable[Path | str], options: NeighborOptions, output: Path
) -> None:
    """Read one embedding and write its neighbor graph.

    Args:
        embedding: Parquet file of the embedding.
        samples: the shards of samples, in the manifest's order.
        options: how many neighbors.
        output: Parquet file of the graph.

    Raises:
        LatentmapError: the embedding's rows are not the samples, or some are not finite.
    """
    ids, values = read_embedding(embedding)
    table = read_samples(samples, ["id", "source_group"])
    check_ids(embedding, ids, table["id"].to_pylist())
    try:
        graph = find_neighbors(ids, values, table["source_group"].to_pylist(), options.k)
    except LatentmapError as error:
        raise LatentmapError(f"{embedding}: {error}") from None
    write_graph(output, graph)


def find_neighbors(
    ids: Sequence[str], values: NDArray[np.float32], source_groups: Sequence[str], k: int
) -> NeighborGraph:
    """Find the k nearest other rows of every row, by Euclidean distance.

    Neighbors are in the order of their float32 distance, then of their row number. Up to 512
    dimensions distances are exact to float32; of wider rows they are exact to about 1e-5, and to
    float32 again where rows nearly coincide.

    Args:
        ids: (N,) sample ids.
        values: (N, D) float32.
        source_groups: (N,) names of what must not leak.
        k: neighbors per row.

    Raises:
        LatentmapError: a row has a value that is not finite.
    """
    _check_finite(ids, values)
    firsts, place = _distinct(values)
    points = Points(values if len(firsts) == len(values) else values[firsts])
    groups = np.unique(np.asarray(source_groups, np.str_), return_inverse=True)[1]
    every, grouped = _unfilled(len(values), k), _unfilled(len(values), k)
    for block in row_blocks(len(firsts)):
        distances = points.distances(block)
        members = np.flatnonzero((place >= block.start) & (place < block.stop))
        for part in row_blocks(len(values)):
            rows = members[part]
            candidates = distances[place[rows] - block.start].take(place, axis=1)
            candidates[np.arange(len(rows)), rows] = np.inf
            _fill(every, rows, candidates)
            candidates[groups[rows, np.newaxis] == groups] = np.inf
            _fill(grouped, rows, candidates)
    return NeighborGraph(list(ids), every, grouped, rotate(points, place))


def _check_finite(ids: Sequence[str], values: NDArray[np.float32]) -> None:
    if np.isfinite(values.sum(axis=0, dtype=np.float64)).all():
        return
    row = next(row for row, value in enumerate(values) if not np.isfinite(value).all())
    raise LatentmapError(
        f"Row {row} (id '{ids[row]}') has a value that is not a finite number; check the latents "
        "of this sample and the pooling method."
    )


def _distinct(values: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first row of every set of identical rows, and of every row the number of its set.

    Questions about one image share its latent: comparing each image once is faster, and gives
    identical rows identical distances.
    """
    places: dict[bytes, int] = {}
    digests = (hashlib.sha256(np.ascontiguousarray(row).data).digest() for row in values)
    place = np.fromiter(
        (places.setdefault(digest, len(places)) for digest in digests), np.intp, len(values)
    )
    return np.unique(place, return_index=True)[1], place


class Distances:
    """Exact distances from some rows of a table to all others; identical rows are compared once.

    Args:
        values: (N, D) float32.
    """

    def __init__(self, values: NDArray[np.float32]) -> None:
        firsts, self._place = _distinct(values)
        self._points = Points(values if len(firsts) == len(values) else values[firsts])

    def to_others(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return (b, N) distances from `rows` (b,) to every row; infinite to the row itself."""
        distinct, position = np.unique(self._place[rows], return_inverse=True)
        distances = self._points.distances(distinct)[position].take(self._place, axis=1)
        distances[np.arange(len(rows)), rows] = np.inf
        return distances


def _unfilled(count: int, k: int) -> NeighborList:
    return NeighborList(np.full((count, k), -1, np.int32), np.full((count, k), np.inf, np.float32))


def _fill(neighbors: NeighborList, rows: NDArray[Any], candidates: NDArray[np.float32]) -> None:
    """Write the nearest candidates of `rows` into their lists.

    Args:
        neighbors: the lists of all N rows.
        rows: (b,) rows that the candidates belong to.
        candidates: (b, N) distances; infinite where a row is no candidate.
    """
    if not len(rows):
        return
    last = min(neighbors.k, candidates.shape[1]) - 1
    farthest = np.partition(candidates, last, axis=1)[:, last:][:, :1]
    # All candidates that tie with the farthest one compete for the last places, by row number.
    row, column = np.nonzero((candidates <= farthest) & (candidates < np.inf))
    distance = candidates[row, column]
    order = np.lexsort((column, distance, row))
    row, column, distance = row[order], column[order], distance[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    kept = rank < neighbors.k
    places = rows[row[kept]], rank[kept]
    neighbors.indices[places] = column[kept]
    neighbors.distances[places] = distance[kept]
