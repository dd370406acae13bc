"""Principal components of tables that may be far wider than long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentmap.axes import principal_axes, signs
from latentmap.neighbors.distances import Points, column_blocks
from latentmap.neighbors.graph import NeighborGraph
from latentmap.project.projection import Values

# A component with a smaller share of the variance is rounding of float32 values.
SMALLEST_SHARE = 1e-6


@dataclass(frozen=True)
class Components:
    """The first principal components of a table.

    Attributes:
        coordinates: (N, count) float32.
        shares: (count,) share of the total variance that each explains.
    """

    coordinates: NDArray[np.float32]
    shares: NDArray[np.float64]


def leading_components(values: Values, graph: NeighborGraph, count: int) -> Components:
    """Return the first principal components of an embedding, which need not be read if it is wide.

    Args:
        values: gives the (N, D) float32 embedding.
        graph: its neighbors.
        count: components to return.
    """
    if graph.rotated is None:
        return principal_components(values(), count)
    return first_axes(graph.rotated, count)


def principal_components(values: NDArray[np.float32], count: int) -> Components:
    """Return the coordinates of the rows on their first principal axes.

    Wider than long, the table is decomposed through the N×N inner products of its centred rows,
    else through its D×D scatter: nothing larger than min(N, D)² is decomposed. The largest
    absolute loading of every axis is positive. A component beyond the rank of the table, or with
    less than a millionth of the variance, has zero coordinates and a share of zero.

    Args:
        values: (N, D) float32, finite.
        count: components to return.
    """
    points = Points(values)
    wide = values.shape[1] > len(values)
    matrix = points.products(slice(0, len(values))) if wide else points.scatter()
    variances, vectors = principal_axes(matrix)
    variances, vectors = variances[:count], vectors[:, :count]
    total = float(np.trace(matrix))
    shares = np.zeros(count)
    if total > points.rounding:
        shares[: len(variances)] = np.where(
            variances > SMALLEST_SHARE * total, variances / total, 0
        )
    kept = int(np.count_nonzero(shares))
    axes = _axes(points, vectors[:, :kept]) if wide else vectors[:, :kept]
    coordinates = np.zeros((len(values), count), np.float32)
    if wide:
        coordinates[:, :kept] = vectors[:, :kept] * np.sqrt(variances[:kept])
    else:
        coordinates[:, :kept] = _onto(points, axes)
    coordinates[:, :kept] *= signs(axes)
    return Components(coordinates, shares)


def first_axes(rotated: NDArray[np.float32], count: int) -> Components:
    """Return the first principal components of rows that are on their principal axes already.

    Args:
        rotated: (N, r) float32 as in a neighbor graph.
        count: components to return; zero beyond r.
    """
    variances = np.square(rotated, dtype=np.float64).sum(axis=0)
    total = float(variances.sum())
    held = variances[:count] / (total or 1)
    kept = int(np.count_nonzero(held > SMALLEST_SHARE))
    coordinates, shares = np.zeros((len(rotated), count), np.float32), np.zeros(count)
    coordinates[:, :kept], shares[:kept] = rotated[:, :kept], held[:kept]
    return Components(coordinates, shares)


def _onto(points: Points, axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the centred rows times (D, kept) axes."""
    projected = np.empty((len(points.values), axes.shape[1]))
    for rows in column_blocks(points.values.T):
        projected[rows] = points.centred(rows, slice(None)) @ axes
    return projected


def _axes(points: Points, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (D, kept) axes that belong to (N, kept) coordinates, up to their length."""
    axes = np.empty((points.values.shape[1], vectors.shape[1]))
    for columns in column_blocks(points.values):
        axes[columns] = points.centred(slice(None), columns).T @ vectors
    return axes
