"""Silhouette: how much nearer a sample is to its own label's samples than to the next label's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options
from latentmap.metrics.metric import SHARED_ROWS, Figure, LabelledEmbedding, Measurement, Metric
from latentmap.neighbors.distances import Points, row_blocks


class SilhouetteOptions(Options):
    """Options of the silhouette.

    Attributes:
        max_samples: of more samples than this, a random subset is measured.
        seed: of that subset.
    """

    max_samples: int = Field(default=10_000, ge=2)
    seed: int = 0


class Silhouette(Metric[SilhouetteOptions]):
    """Mean silhouette of all samples (Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7).

    For a sample at mean distance a from the others of its label and at mean distance b from the
    samples of the nearest other label it is (b - a) / max(a, b), and 0 where a label occurs once.
    """

    Options = SilhouetteOptions
    figures: ClassVar = {
        "silhouette": Figure("mean silhouette of labels, from -1 to 1", better="higher")
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on all samples, or on a random subset of a large set."""
        if data.obstacle:
            return self.undefined(data.obstacle)
        count, limit = len(data.values), self.options.max_samples
        if count <= limit:
            return {"silhouette": Measurement(_mean_silhouette(_blocks(data), data.codes))}
        chosen = np.random.default_rng(self.options.seed).choice(count, limit, replace=False)
        chosen.sort()
        codes = np.unique(data.codes[chosen], return_inverse=True)[1]
        if len(np.unique(codes)) in (1, limit):
            return self.undefined(f"{limit} samples hold too few or too many labels.")
        value = _mean_silhouette(_point_blocks(Points(data.values[chosen])), codes)
        return {"silhouette": Measurement(value, note=f"Of {limit} samples drawn at random.")}


def _blocks(data: LabelledEmbedding) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Yield rows and their distances to all rows, from the shared products if there are any."""
    if len(data.values) > SHARED_ROWS:
        yield from _point_blocks(data.points)
        return
    norms = np.diagonal(data.gram)
    squared = norms + norms[:, np.newaxis] - 2 * data.gram
    np.fill_diagonal(squared, 0)
    yield slice(0, len(squared)), np.sqrt(np.maximum(squared, 0, out=squared), out=squared)


def _point_blocks(points: Points) -> Iterator[tuple[slice, NDArray[Any]]]:
    for rows in row_blocks(len(points.values)):
        yield rows, points.distances(rows)


def _mean_silhouette(
    blocks: Iterator[tuple[slice, NDArray[Any]]], codes: NDArray[np.intp]
) -> float:
    sizes = np.bincount(codes)
    members = np.eye(len(sizes))[codes]
    total = 0.0
    for rows, distances in blocks:
        sums = distances @ members
        own = np.arange(len(sums)), codes[rows]
        within = sums[own] / np.maximum(sizes[own[1]] - 1, 1)
        sums[own] = np.inf
        nearest = (sums / sizes).min(axis=1)
        farther = np.maximum(within, nearest)
        scores = np.divide(nearest - within, farther, out=np.zeros_like(within), where=farther > 0)
        total += scores[sizes[own[1]] > 1].sum()
    return float(total / len(codes))
