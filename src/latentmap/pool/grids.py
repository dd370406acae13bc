"""Grids laid over the positions: separable linear maps of the rows and columns of a latent."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

import numpy as np
from numpy.typing import NDArray

from latentmap.pool.method import Latents

Weights = NDArray[np.float64]
Spans = Iterable[tuple[int, int]]


def separable(latents: Latents, rows: Weights, columns: Weights) -> Latents:
    """Weigh rows and columns of positions: rows · latent · columnsᵀ in every channel.

    Args:
        latents: (n, C, H, W).
        rows: (h, H) weights.
        columns: (w, W) weights.

    Returns:
        (n, C, h, w) float32, of sums in float64, so that no kernel changes them. Each channel is a
        product of its own: what a latent becomes does not depend on the others of its block, and
        small products are not worth threads.
    """
    narrow = latents.astype(np.float64) @ columns.T.copy()
    return (rows @ narrow).astype(np.float32)


def tokens_first(cells: Latents) -> NDArray[np.float32]:
    """Return (n, C, h, w) as (n, h·w·C): cell by cell, each with its C features."""
    return np.moveaxis(cells, 1, -1).reshape(len(cells), -1)


def averaging(spans: Spans, size: int) -> Weights:
    """Return the (spans, size) weights that average the positions of each span [start, stop)."""
    spans = list(spans)
    weights = np.zeros((len(spans), size))
    for row, (start, stop) in zip(weights, spans, strict=True):
        row[start:stop] = 1 / (stop - start)
    return weights


def adaptive(size: int, bins: int) -> Spans:
    """Return `bins` spans of nearly equal length that cover `size`, as torch's adaptive pooling.

    Where `size` is no multiple of `bins`, neighboring spans share a position.
    """
    return [(i * size // bins, ceil((i + 1) * size / bins)) for i in range(bins)]
