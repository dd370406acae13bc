"""Classes: how many labels the metrics stand on."""

from __future__ import annotations

from typing import ClassVar

from latentmap.config import Options
from latentmap.metrics.density import effective_number
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric, MetricColumn


class Classes(Metric[Options]):
    """Counts of the labels."""

    columns: ClassVar = {
        "n_classes": MetricColumn("labels that occur", "labels"),
        "n_effective_classes": MetricColumn(
            "equally frequent labels that the samples are worth (inverse Simpson)",
            "effective labels",
        ),
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Count."""
        return {
            "n_classes": Measurement(float(len(data.classes))),
            "n_effective_classes": Measurement(effective_number(data.class_sizes)),
        }
