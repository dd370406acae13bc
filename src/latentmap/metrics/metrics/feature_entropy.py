"""Feature entropy: how evenly the values of a dimension fill its range, in bits."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric, MetricColumn
from latentmap.neighbors.distances import column_blocks


class FeatureEntropyOptions(Options):
    """Options of the feature entropy.

    Attributes:
        bins: of the histogram over each dimension's own range.
    """

    bins: int = Field(default=50, ge=2)


class FeatureEntropy(Metric[FeatureEntropyOptions]):
    """Mean over dimensions of the Shannon entropy of a histogram of their values.

    A dimension that does not vary has entropy 0; log2(bins) is the largest value.
    """

    Options = FeatureEntropyOptions
    needs_labels = False
    columns: ClassVar = {
        "feature_entropy": MetricColumn(
            "mean entropy of a dimension's histogram, in bits", "feature entropy"
        )
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on all samples."""
        if data.is_constant:
            return self.undefined("All samples have the same values.")
        values = data.values[:, : data.dimensions]
        entropies = [
            _entropies(values[:, columns], self.options.bins) for columns in column_blocks(values)
        ]
        return {"feature_entropy": Measurement(float(np.concatenate(entropies).mean()))}


def _entropies(values: NDArray[np.float32], bins: int) -> NDArray[np.float64]:
    """Return the entropy of each column in bits, (columns,)."""
    count, columns = values.shape
    lowest = values.min(axis=0).astype(np.float64)
    width = values.max(axis=0) - lowest
    scale = np.divide(bins, width, out=np.zeros_like(width), where=width > 0)
    position = (values - lowest) * scale
    filled = np.minimum(position, bins - 1, out=position).astype(np.intp)
    filled += np.arange(columns) * bins
    shares = np.bincount(filled.reshape(-1), minlength=columns * bins) / count
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    return -(shares * logs).reshape(columns, bins).sum(axis=1)
