"""Effective dimension: how many principal components hold 90, 95 and 99 % of the variance."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options
from latentmap.metrics.metric import (
    SHARED_ROWS,
    LabelledEmbedding,
    Measurement,
    Metric,
    MetricColumn,
)
from latentmap.neighbors.distances import Points

SHARES = (90, 95, 99)


class EffectiveDimOptions(Options):
    """Options of the effective dimension.

    Attributes:
        max_size: with more samples and more dimensions than this, so many samples are drawn.
        seed: of that draw.
    """

    max_size: int = Field(default=SHARED_ROWS, ge=2, le=SHARED_ROWS)
    seed: int = 0


class EffectiveDim(Metric[EffectiveDimOptions]):
    """Number of principal components that reach a share of the variance."""

    Options = EffectiveDimOptions
    needs_labels = False
    columns: ClassVar = {
        f"effective_dim_{share}": MetricColumn(
            f"principal components that hold {share} % of variance",
            f"effective dimension ({share} %)",
            counts=True,
        )
        for share in SHARES
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on the eigenvalues of the smaller of covariance and Gram matrix."""
        if data.is_constant:
            return self.undefined("All samples have the same values.")
        count, dims = data.values.shape
        limit = self.options.max_size
        note = None
        points = data.points if data.graph.rotated is None else Points(data.values)
        if data.graph.rotated is not None and count <= limit:
            variances = np.square(data.graph.rotated, dtype=np.float64).sum(axis=0)
        elif dims <= min(count, limit):
            variances = _eigenvalues(points.scatter())
        elif count <= limit:
            variances = _eigenvalues(data.points.gram)
        else:
            chosen = np.random.default_rng(self.options.seed).choice(count, limit, replace=False)
            points = Points(data.values[np.sort(chosen)])
            variances = _eigenvalues(points.products(slice(0, limit)))
            note = f"Of {limit} samples drawn at random."
        total = variances.sum()
        held = np.cumsum(variances) / total
        # A share that is reached exactly must not be missed for rounding: errors E of the values X
        # move the sum of the largest variances by up to 2 |X| |E|.
        missed = 2 * math.sqrt(points.rounding / total)
        return {
            f"effective_dim_{share}": Measurement(
                float(np.searchsorted(held, share / 100 - missed) + 1), note=note
            )
            for share in SHARES
        }


def _eigenvalues(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the eigenvalues of a matrix of inner products, largest first."""
    return np.maximum(np.linalg.eigvalsh(matrix)[::-1], 0)
