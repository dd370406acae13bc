"""Where further samples belong on a finished map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentmap.neighbors.distances import BLOCK, column_blocks
from latentmap.neighbors.graph import NeighborList

# As UMAP by default; its transform and that of t-SNE ask for 15 and 25.
NEIGHBORS = 15
# Distances from float32 products may mistake which of nearly equal ones is nearer: so many times
# as many candidates are compared again, coordinate by coordinate.
CANDIDATES = 2
# Halvings of the interval in which a bandwidth lies; float64 has no more digits.
HALVINGS = 64
# Bandwidths below this share of the mean distance would leave a single neighbor (as umap-learn).
NARROWEST = 1e-3


@dataclass(frozen=True)
class Reference:
    """A finished map.

    Attributes:
        values: (N, D) float32 embedding of its samples.
        coordinates: (N, dims) float32 places of its samples.
    """

    values: NDArray[np.float32]
    coordinates: NDArray[np.float32]


def linear_places(values: NDArray[np.float32], reference: Reference) -> NDArray[np.float32]:
    """Return the coordinates of further samples on the principal axes that a map shows.

    The axes follow from the map: the centred rows X of its samples, times the axes, are its
    coordinates C, whose columns are orthogonal, so that the axes are Xᵀ C / diag(Cᵀ C).

    Args:
        values: (M, D) float32.
        reference: a map of principal components.

    Returns:
        (M, dims) float32; 0 on an axis on which all samples of the map are at 0.
    """
    places = reference.coordinates.astype(np.float64)
    lengths = (places**2).sum(axis=0)
    scaled = np.divide(places, lengths, out=np.zeros_like(places), where=lengths > 0)
    found = np.zeros((len(values), places.shape[1]))
    for columns in column_blocks(reference.values):
        own = reference.values[:, columns].astype(np.float64)
        centre = own.mean(axis=0)
        found += (values[:, columns] - centre) @ ((own - centre).T @ scaled)
    return found.astype(np.float32)


def weighted_places(values: NDArray[np.float32], reference: Reference) -> NDArray[np.float32]:
    """Return for each further sample the weighted mean place of its nearest samples on a map.

    The weights are UMAP's memberships as its transform starts from them (McInnes et al. 2018,
    arXiv:1802.03426): exp(-d / s), the bandwidth s of each sample such that its weights add up to
    log2(k). Nothing is optimised after that, so a sample lands on samples of the map or between
    them, never outside of them. One that coincides with a sample of the map lands on it.

    Args:
        values: (M, D) float32.
        reference: the map.

    Returns:
        (M, dims) float32.
    """
    neighbors = nearest_in(values, reference.values, min(NEIGHBORS, len(reference.values)))
    weights = memberships(neighbors.distances.astype(np.float64))
    places = reference.coordinates.astype(np.float64)[neighbors.indices]
    return np.einsum("mk,mkd->md", weights, places).astype(np.float32)


def memberships(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights of neighbors at these distances, (M, k); rows sum to 1.

    Neighbors at distance 0 share all of the weight.
    """
    bandwidths = np.maximum(_bandwidths(distances), NARROWEST * distances.mean(axis=1))
    safe = np.where(bandwidths > 0, bandwidths, 1)[:, np.newaxis]
    # Taking the nearest distance off all changes no share, and none is rounded to nothing.
    weights = np.exp(-(distances - distances.min(axis=1, keepdims=True)) / safe)
    coincide = distances == 0
    weights = np.where(coincide.any(axis=1, keepdims=True), coincide, weights)
    shares: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return shares


def _bandwidths(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each row the s at which its exp(-d / s) add up to log2(k), by bisection."""
    count = distances.shape[1]
    low, high = np.zeros(len(distances)), distances.max(axis=1) * count
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        safe = np.where(middle > 0, middle, 1)[:, np.newaxis]
        enough = np.exp(-distances / safe).sum(axis=1) > np.log2(count)
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def nearest_in(values: NDArray[np.float32], table: NDArray[np.float32], k: int) -> NeighborList:
    """Find the k nearest rows of another table, by Euclidean distance.

    Args:
        values: (M, D) float32.
        table: (N, D) float32, N ≥ k.
        k: neighbors per row.

    Returns:
        (M, k) row numbers of `table` and distances, nearest first.
    """
    centre = table.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = table - centre
    norms = np.einsum("ij,ij->i", centred, centred)
    candidates = min(CANDIDATES * k, len(table))
    indices = np.empty((len(values), k), np.int32)
    distances = np.empty((len(values), k), np.float32)
    for start in range(0, len(values), max(1, BLOCK // len(table))):
        rows = slice(start, start + max(1, BLOCK // len(table)))
        away = norms - 2 * ((values[rows] - centre) @ centred.T)
        near = np.argpartition(away, candidates - 1, axis=1)[:, :candidates]
        near.sort(axis=1)
        exact = np.stack(
            [
                np.linalg.norm(table[n].astype(np.float64) - v, axis=1)
                for v, n in zip(values[rows], near, strict=True)
            ]
        )
        order = np.argsort(exact, axis=1, kind="stable")[:, :k]
        indices[rows] = np.take_along_axis(near, order, axis=1)
        distances[rows] = np.take_along_axis(exact, order, axis=1)
    return NeighborList(indices, distances)
