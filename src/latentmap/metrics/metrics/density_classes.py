"""Local density by label: what draws with the sampling weights would do to the labels."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.config import Options
from latentmap.metrics.density import effective_number
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric, MetricColumn

QUARTILES = {"q1": 25, "median": 50, "q3": 75}


class DensityClasses(Metric[Options]):
    """Effective number of labels under density-aware sampling.

    Weights are those of `density`. Under uniform sampling the number is `n_effective_classes`.
    """

    reads_neighbors = True
    columns: ClassVar = {
        "density_effective_classes": MetricColumn(
            "equally frequent labels that draws with these weights are worth (inverse Simpson)",
            "effective labels, weighted",
        )
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on the weights of all samples."""
        found = data.local_density
        value = effective_number(np.bincount(data.codes, found.weights))
        measured = Measurement(value, note=found.note, by_label=self._by_label(data))
        return {"density_effective_classes": measured}

    def _by_label(self, data: LabelledEmbedding) -> dict[str, NDArray[np.float64]]:
        """Return quartiles of the percentile rank, and the share in draws before and after."""
        percentile = data.local_density.percentile
        members = [percentile[data.codes == code] for code in range(len(data.classes))]
        quartiles = {
            f"density_percentile_{name}": np.array([np.percentile(m, rank) for m in members])
            for name, rank in QUARTILES.items()
        }
        return {
            **quartiles,
            "density_share_uniform": data.class_sizes / len(data.values),
            "density_share": np.bincount(data.codes, data.local_density.weights),
        }
