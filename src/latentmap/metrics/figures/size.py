"""Size: how many samples, dimensions, labels and tokens the figures stand on."""

from __future__ import annotations

from typing import ClassVar

from latentmap.config import Options
from latentmap.metrics.density import effective_number
from latentmap.metrics.metric import Figure, LabelledEmbedding, Measurement, Metric


class Size(Metric[Options]):
    """Counts of one embedding."""

    figures: ClassVar = {
        "n_samples": Figure("samples"),
        "n_dimensions": Figure("dimensions of the embedding"),
        "n_classes": Figure("labels that occur"),
        "n_effective_classes": Figure(
            "equally frequent labels that the samples are worth (inverse Simpson)"
        ),
        "n_tokens": Figure("tokens that a model would be given"),
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Count."""
        samples, dimensions = data.values.shape
        effective = effective_number(data.class_sizes)
        counts = (samples, dimensions, len(data.classes), effective, data.tokens)
        return {
            name: Measurement(float(count))
            for name, count in zip(self.figures, counts, strict=True)
        }
