"""Size: how many samples, dimensions and tokens the metrics stand on."""

from __future__ import annotations

from typing import ClassVar

from latentmap.config import Options
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric, MetricColumn


class Size(Metric[Options]):
    """Counts of one embedding."""

    needs_labels = False
    columns: ClassVar = {
        "n_samples": MetricColumn("samples", "samples", counts=True),
        "n_dimensions": MetricColumn("dimensions of the embedding", "dimensions", counts=True),
        "n_tokens": MetricColumn("tokens that a model would be given", "tokens", counts=True),
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Count."""
        counts = (len(data.values), data.dimensions, data.tokens)
        return {
            name: Measurement(float(count))
            for name, count in zip(self.columns, counts, strict=True)
        }
