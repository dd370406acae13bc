"""Local density: how many samples draws with the sampling weights would be worth."""

from __future__ import annotations

from typing import ClassVar

from latentmap.config import Options
from latentmap.metrics.density import effective_number
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric, MetricColumn


class Density(Metric[Options]):
    """Effective number of samples under density-aware sampling.

    Weights are those of the run's `density` options (see `metrics/density.py`). Under uniform
    sampling the number is `n_samples`.
    """

    needs_labels = False
    reads_neighbors = True
    columns: ClassVar = {
        "density_effective_sample_size": MetricColumn(
            "equally weighted samples that the sampling weights are worth (Kish)",
            "effective sample size",
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
