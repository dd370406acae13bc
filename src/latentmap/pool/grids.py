"""Grids laid over the positions: separable linear maps of the rows and columns of a latent."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

import numpy as np
from numpy.typing import NDArray

from latentmap.pool.method import Latents

Weights = NDArray[np.float64]
Spans = Iterable[tuple[int, int]]


def separable(latents: Latents, rows: Weights, columns: Weights) -> NDArray[np.float64]:
    """Weigh rows and columns of positions: rows · latent · columnsᵀ in every channel.

    Args:
        latents: (n, C, H, W).
        rows: (h, H) weights.
        columns: (w, W) weights.

    Returns:
        (n, C, h, w) sums in float64: exact if the weights are whole numbers, so that no kernel
        changes what they are rounded to. Each channel is a product of its own: what a latent
        becomes does not depend on the others of its block, and small products are not worth
        threads.
    """
    return rows @ (latents.astype(np.float64) @ columns.T.copy())


def cell_means(latents: Latents, rows: Weights, columns: Weights) -> NDArray[np.float32]:
    """Average the positions of each cell of a grid.

    Args:
        latents: (n, C, H, W).
        rows: (h, H) as `covering` gives them.
        columns: (w, W) as `covering` gives them.

    Returns:
        (n, C, h, w).
    """
    counts = np.outer(rows.sum(axis=1), columns.sum(axis=1))
    return (separable(latents, rows, columns) / counts).astype(np.float32)


def tokens_first(cells: Latents) -> NDArray[np.float32]:
    """Return (n, C, h, w) as (n, h·w·C): cell by cell, each with its C features."""
    return np.moveaxis(cells, 1, -1).reshape(len(cells), -1)


def covering(spans: Spans, size: int) -> Weights:
    """Return (spans, size): 1 for the positions of each span [start, stop), else 0."""
    spans = list(spans)
    weights = np.zeros((len(spans), size))
    for row, (start, stop) in zip(weights, spans, strict=True):
        row[start:stop] = 1
    return weights


def adaptive(size: int, bins: int) -> Spans:
    """Return `bins` spans of nearly equal length that cover `size`, as torch's adaptive pooling.

    Where `size` is no multiple of `bins`, neighboring spans share a position.
    """
    return [(i * size // bins, ceil((i + 1) * size / bins)) for i in range(bins)]
