"""The rows of an embedding as a run compares them: as they are, or brought to length 1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentmap.store.tables import read_embedding

DistanceMetric = Literal["euclidean", "cosine"]


def read_rows(
    embedding: Path | str, metric: DistanceMetric
) -> tuple[list[str], NDArray[np.float32]]:
    """Read the ids (N,) of an embedding, and its rows as they are compared; see `compared`."""
    ids, values = read_embedding(embedding)
    return ids, compared(values, metric)


def compared(values: NDArray[np.float32], metric: DistanceMetric) -> NDArray[np.float32]:
    """Return the rows whose Euclidean distances everything is made from.

    For the cosine these are rows of length 1, at distance √(2 − 2 cos), so that what is nearest by
    one is nearest by the other. A row of zeros has no direction: it gets a dimension of its own,
    which all of them share and in which the others are 0, so that it is at right angles to all
    others. At the origin it would be nearer to every row than rows at right angles are to each
    other, and everybody's neighbor.

    Args:
        values: (N, D) float32 embedding.
        metric: `euclidean` leaves the rows as they are.

    Returns:
        (N, D) float32; (N, D + 1) if a row has no direction.
    """
    return compared_alike([values], metric)[0]


def compared_alike(
    tables: Sequence[NDArray[np.float32]], metric: DistanceMetric
) -> list[NDArray[np.float32]]:
    """Return the rows of several tables as they are compared with each other, as `compared` does.

    Args:
        tables: of (N, D) float32, with the same D.
        metric: as for `compared`.
    """
    if metric == "euclidean":
        return list(tables)
    lengths = [row_lengths(table) for table in tables]
    further = any((length == 0).any() for length in lengths)
    return [_units(*pair, further) for pair in zip(tables, lengths, strict=True)]


def row_lengths(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the length of every row, (N,)."""
    squares: NDArray[np.float64] = np.einsum("ij,ij->i", values, values, dtype=np.float64)
    return np.sqrt(squares)


def _units(
    values: NDArray[np.float32], lengths: NDArray[np.float64], further: bool
) -> NDArray[np.float32]:
    """Return rows of length 1, with a further dimension for those of length 0."""
    count, dims = values.shape
    units = np.zeros((count, dims + further), np.float32)
    # What is not finite stays so, and is named by the search.
    with np.errstate(invalid="ignore"):
        np.divide(
            values,
            np.where(lengths > 0, lengths, 1)[:, np.newaxis],
            out=units[:, :dims],
            casting="same_kind",
        )
    if further:
        units[lengths == 0, dims] = 1
    return units
