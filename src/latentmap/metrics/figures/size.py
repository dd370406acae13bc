"""Size: how many samples, dimensions and tokens the figures stand on."""

from __future__ import annotations

from typing import ClassVar

from latentmap.config import Options
from latentmap.metrics.metric import Figure, LabelledEmbedding, Measurement, Metric


class Size(Metric[Options]):
    """Counts of one embedding."""

    needs_labels = False
    figures: ClassVar = {
        "n_samples": Figure("samples"),
        "n_dimensions": Figure("dimensions of the embedding"),
        "n_tokens": Figure("tokens that a model would be given"),
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Count."""
        samples, dimensions = data.values.shape
        counts = (samples, dimensions, data.tokens)
        return {
            name: Measurement(float(count))
            for name, count in zip(self.figures, counts, strict=True)
        }
