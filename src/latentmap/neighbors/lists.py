"""What exact and approximate search share: rows that are compared, and lists that are filled."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.neighbors.graph import NeighborList


def check_finite(ids: Sequence[str], values: NDArray[np.float32]) -> None:
    """Fail with one line that names the first row with a value that is not finite."""
    if np.isfinite(values.sum(axis=0, dtype=np.float64)).all():
        return
    row = next(row for row, value in enumerate(values) if not np.isfinite(value).all())
    raise LatentmapError(
        f"Row {row} (id '{ids[row]}') has a value that is not a finite number; check the latents "
        "of this sample and the pooling method."
    )


def distinct(values: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
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


def unfilled(count: int, k: int) -> NeighborList:
    """Return lists of k neighbors for `count` rows with nothing in them."""
    return NeighborList(np.full((count, k), -1, np.int32), np.full((count, k), np.inf, np.float32))


def fill(
    neighbors: NeighborList,
    rows: NDArray[Any],
    distances: NDArray[np.float32],
) -> None:
    """Write the nearest candidates of `rows` into their lists.

    Args:
        neighbors: the lists of all N rows.
        rows: (b,) rows that the candidates belong to.
        distances: (b, N) to all rows; infinite where a row is no candidate.
    """
    if not distances.size:
        return
    last = min(neighbors.k, distances.shape[1]) - 1
    farthest = np.partition(distances, last, axis=1)[:, last:][:, :1]
    # All candidates that tie with the farthest one compete for the last places, by row number.
    row, column = np.nonzero((distances <= farthest) & (distances < np.inf))
    distance = distances[row, column]
    order = np.lexsort((column, distance, row))
    row, column, distance = row[order], column[order], distance[order]
    write_nearest(neighbors, rows[row], column, distance)


def write_nearest(
    neighbors: NeighborList,
    rows: NDArray[Any],
    candidates: NDArray[np.intp],
    distances: NDArray[np.float32],
) -> None:
    """Write the first k candidates of every row into its list.

    Args:
        neighbors: the lists of all N rows.
        rows: (p,) the row of each pair; pairs of one row lie together, nearest first.
        candidates: (p,) the other row of each pair.
        distances: (p,) between the two.
    """
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    rank = np.arange(len(rows)) - np.repeat(starts, np.diff(starts, append=len(rows)))
    kept = rank < neighbors.k
    places = rows[kept], rank[kept]
    neighbors.indices[places] = candidates[kept]
    neighbors.distances[places] = distances[kept]
