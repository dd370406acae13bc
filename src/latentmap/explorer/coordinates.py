"""Coordinates of maps: laid over one another, and in 16 bits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.store.maps import AXES
from latentmap.store.tables import numbers

Floats = NDArray[np.float64]

INSIDE = (0.005, 0.995)
"""Quantiles between which most samples are on each axis."""

LEAST = 1 / 8
"""Share of the extent that most samples must take, or 16 bits leave them too few places."""

NOWHERE = 2**16 - 1
"""Stands in 16 bits for a sample that has no place."""


@dataclass(frozen=True)
class Alignment:
    """How a map is laid over another: moved, turned, mirrored and scaled.

    Attributes:
        centre: (dims,) of the map.
        turn: (dims, dims) rotation, which may mirror, times scale.
        target: (dims,) where the centre comes to be.
        residual: what is left, the disparity of scipy.spatial.procrustes: 0 for equal shapes, at
            most 1.
    """

    centre: Floats
    turn: Floats
    target: Floats
    residual: float

    def moved(self, places: NDArray[np.floating[Any]]) -> Floats:
        """Return (N, dims) places on the map as they are once it is laid over the other."""
        return (places - self.centre) @ self.turn + self.target


def unmoved(dims: int) -> Alignment:
    """Return how a map stays as it is."""
    return Alignment(np.zeros(dims), np.eye(dims), np.zeros(dims), 0.0)


def align(places: Floats, reference: Floats) -> Alignment:
    """Return how a map is best laid over a reference (Schönemann 1966).

    Samples that have no place on either count for nothing.

    Args:
        places: (N, dims) coordinates; not finite where a sample has none.
        reference: (N, dims) the same of another map.
    """
    known = np.isfinite(places).all(axis=1) & np.isfinite(reference).all(axis=1)
    dims = places.shape[1]
    if not known.any():
        return replace(unmoved(dims), residual=1.0)
    centre, target = places[known].mean(axis=0), reference[known].mean(axis=0)
    ours, theirs = places[known] - centre, reference[known] - target
    lengths = np.linalg.norm(ours), np.linalg.norm(theirs)
    if not all(lengths):
        return Alignment(centre, np.eye(dims), target, 1.0)
    left, values, right = np.linalg.svd(ours.T @ theirs / (lengths[0] * lengths[1]))
    scale = values.sum() * lengths[1] / lengths[0]
    # No less than 0, which rounding can bring it to.
    residual = max(0.0, 1 - float(values.sum()) ** 2)
    return Alignment(centre, scale * left @ right, target, residual)


@dataclass(frozen=True)
class Stored:
    """Coordinates as they are stored.

    Attributes:
        table: a column for each axis.
        facts: what turns them back into coordinates, and where they are, for the manifest.
    """

    table: pa.Table
    facts: dict[str, Any]


def stored(places: Floats) -> Stored:
    """Store coordinates in 16 bits, or as float32 where outliers would leave most too few places.

    Args:
        places: (N, dims); not finite where a sample has no place.
    """
    known = np.asarray(np.isfinite(places).all(axis=1))
    within = places[known] if known.any() else np.zeros((1, places.shape[1]))
    low, high = within.min(axis=0), within.max(axis=0)
    box = np.quantile(within, INSIDE, axis=0)
    extent = high - low
    if (box[1] - box[0] < LEAST * extent).any():
        offset, scale = np.zeros(len(low)), 1.0
        values: NDArray[Any] = np.full(places.shape, np.nan, np.float32)
        values[known] = places[known]
    else:
        offset, scale = low, float(extent.max()) / (NOWHERE - 1) or 1.0
        values = np.full(places.shape, NOWHERE, np.uint16)
        values[known] = np.rint((places[known] - offset) / scale)
    columns = {axis: numbers(column) for axis, column in zip(AXES, values.T, strict=False)}
    return Stored(
        pa.table(columns),
        {
            "type": values.dtype.name,
            "offset": offset.tolist(),
            "scale": scale,
            "unplaced": int((~known).sum()),
            "box": box.T.tolist(),
            "extent": np.stack([low, high], axis=1).tolist(),
        },
    )
