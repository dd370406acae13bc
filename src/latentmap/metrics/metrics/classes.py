"""Classes: how many labels the metrics stand on."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from latentmap.config import Options
from latentmap.metrics.density import effective_number
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric, MetricColumn


class Classes(Metric[Options]):
    """Counts of the labels, and what guesses would give that know nothing but their number."""

    columns: ClassVar = {
        "n_classes": MetricColumn("labels that occur", "labels", counts=True),
        "n_effective_classes": MetricColumn(
            "equally frequent labels that the samples are worth (inverse Simpson)",
            "effective labels",
        ),
        "random_baseline_category": MetricColumn("one over the number of labels", "uniform chance"),
        "random_baseline_group": MetricColumn(
            "one over the number of label groups", "uniform chance of groups"
        ),
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Count."""
        return {
            "n_classes": Measurement(float(len(data.classes))),
            "n_effective_classes": Measurement(effective_number(data.class_sizes)),
            "random_baseline_category": Measurement(1 / len(data.classes)),
            "random_baseline_group": Measurement(1 / len(np.unique(data.group_codes))),
        }
