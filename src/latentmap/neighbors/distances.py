"""Euclidean distances between all rows of a table, by blocked matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 2**22
# Below these shares of |a|² + |b|² the difference |a|² + |b|² - 2ab has lost digits that float32
# has: below the first, last ones; below the second, many.
CANCELLED = (1e-4, 1e-8)
# Pairs per row for which subtracting coordinates costs little beside the products.
AFFORDABLE = 32

Rows = slice | NDArray[np.intp]
"""A block of rows, or the numbers of some."""


def row_blocks(count: int, rows: int | None = None) -> Iterator[slice]:
    """Cut rows so that a block of them × `count` columns stays within memory.

    Args:
        count: of the columns.
        rows: how many rows; as many as columns if not given, and else few: they are cut into
            larger blocks, because each costs a pass over the table.
    """
    cells = BLOCK if rows is None else 8 * BLOCK
    return _slices(count if rows is None else rows, max(1, cells // max(1, count)))


def column_blocks(values: NDArray[Any]) -> Iterator[slice]:
    """Cut the columns of a table so that a block of columns stays within memory."""
    rows, columns = values.shape
    return _slices(columns, max(1, BLOCK // max(1, rows)))


def _slices(count: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


@dataclass(frozen=True)
class Points:
    """The rows of a table as points around their centre; nothing wider than a block is copied.

    Attributes:
        values: (N, D) float32.
    """

    values: NDArray[np.float32]

    @cached_property
    def centre(self) -> NDArray[np.float32]:
        """(D,) mean of the rows, as float32: distances do not depend on which centre is taken."""
        return self.values.mean(axis=0, dtype=np.float64).astype(np.float32)

    @cached_property
    def norms(self) -> NDArray[np.float64]:
        """(N,) squared distances to the centre."""
        norms = np.zeros(len(self.values))
        for columns in column_blocks(self.values):
            centred = self.centred(slice(None), columns)
            norms += np.einsum("ij,ij->i", centred, centred)
        return norms

    def centred(self, rows: slice, columns: slice) -> NDArray[np.float64]:
        """Return a block of the table around the centre."""
        return np.subtract(self.values[rows, columns], self.centre[columns], dtype=np.float64)

    @cached_property
    def rounding(self) -> float:
        """The most that squared errors of rounding to float32 add up to, over all values."""
        squares = np.einsum("ij,ij->i", self.values, self.values).sum(dtype=np.float64)
        return float(np.finfo(np.float32).eps) ** 2 * float(squares)

    @cached_property
    def gram(self) -> NDArray[np.float64]:
        """(N, N) inner products of the centred rows; to be asked for of some thousand at most."""
        return self.products(slice(None))

    def scatter(self) -> NDArray[np.float64]:
        """Return (D, D) inner products of the centred columns: N times their covariance."""
        dims = self.values.shape[1]
        scatter = np.zeros((dims, dims))
        for rows in column_blocks(self.values.T):
            centred = self.centred(rows, slice(None))
            scatter += centred.T @ centred
        return scatter

    def products(self, rows: Rows) -> NDArray[np.float64]:
        """Return the inner products of the centred `rows` with all centred rows, (b, N)."""
        total = np.zeros((len(np.arange(len(self.values))[rows]), len(self.values)))
        for columns in column_blocks(self.values):
            centred = self.centred(slice(None), columns)
            total += centred[rows] @ centred.T
        return total

    def distances(self, rows: Rows) -> NDArray[np.float32]:
        """Return the distances from `rows` to all rows, (b, N) float32.

        Squared distances come from products of the centred rows, in float64: rounded to float32,
        they are the same whatever kernel multiplies. Where these cancel, which is where rows
        nearly coincide, the coordinates are subtracted instead, if that concerns few pairs or much
        is lost.
        """
        # Of a short table the products are kept for whoever asks next.
        short = len(self.values) ** 2 <= BLOCK
        scale = self.norms[rows, np.newaxis] + self.norms
        squared = -2 * (self.gram[rows] if short else self.products(rows))
        squared += scale
        for share in CANCELLED:
            near = np.nonzero(squared <= share * scale)
            if len(near[0]) <= AFFORDABLE * len(squared):
                break
        numbers = np.arange(len(self.values))[rows]
        squared[near] = self._subtracted(numbers[near[0]], near[1])
        return np.sqrt(squared, out=squared).astype(np.float32)

    def between(self, first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float32]:
        """Return the distances of pairs of rows, (p,) float32, exact to float32."""
        return np.sqrt(self._subtracted(first, second)).astype(np.float32)

    def _subtracted(self, first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
        """Return the squared distances of pairs of rows, exact to float64."""
        squared = np.empty(len(first))
        for pairs in _slices(len(first), max(1, BLOCK // (4 * self.values.shape[1]))):
            step = self.values[first[pairs]].astype(np.float64)
            step -= self.values[second[pairs]]
            squared[pairs] = np.einsum("ij,ij->i", step, step)
        return squared
