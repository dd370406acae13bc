"""Local density: how many samples sampling by inverse density would be worth."""

from __future__ import annotations

from typing import ClassVar

from latentmap.config import Options
from latentmap.metrics.density import effective_number
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric, MetricColumn


class Density(Metric[Options]):
    """Effective number of samples under density-aware sampling.

    Weights are inverse to the local density (see `metrics/density.py`; its k is the run's
    `density.k`). Under uniform sampling the number is `n_samples`.
    """

    needs_labels = False
    reads_neighbors = True
    columns: ClassVar = {
        "density_effective_sample_size": MetricColumn(
            "samples that weights inverse to the local density are worth (Kish)"
        )
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on the weights of all samples."""
        found = data.local_density
        return {
            "density_effective_sample_size": Measurement(
                effective_number(found.weights), note=found.note
            )
        }
