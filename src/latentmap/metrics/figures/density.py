"""Local density: what sampling by inverse density would do to the samples and their labels."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.config import Options
from latentmap.metrics.density import effective_number
from latentmap.metrics.metric import Figure, LabelledEmbedding, Measurement, Metric

QUARTILES = {"q1": 25, "median": 50, "q3": 75}


class Density(Metric[Options]):
    """Effective numbers of samples and of labels under density-aware sampling.

    Weights are inverse to the local density (see `metrics/density.py`; its k is the run's
    `density.k`). Under uniform sampling the numbers are `n_samples` and `n_effective_classes`.
    """

    reads_neighbors = True
    figures: ClassVar = {
        "density_effective_sample_size": Figure(
            "samples that weights inverse to the local density are worth (Kish)"
        ),
        "density_effective_classes": Figure(
            "equally frequent labels that draws with these weights are worth (inverse Simpson)"
        ),
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on the weights of all samples."""
        weights, note = data.local_density.weights, data.local_density.note
        values = (
            effective_number(weights),
            effective_number(np.bincount(data.codes, weights)),
        )
        return {
            name: Measurement(value, note=note)
            for name, value in zip(self.figures, values, strict=True)
        }

    def by_label(self, data: LabelledEmbedding) -> dict[str, NDArray[np.float64]]:
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
