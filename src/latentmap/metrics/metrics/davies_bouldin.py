"""Davies-Bouldin index: how much each label overlaps with the label it is most like."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from latentmap.config import Options
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric, MetricColumn


class DaviesBouldin(Metric[Options]):
    """Mean over labels of the worst (s_i + s_j) / d_ij (doi:10.1109/TPAMI.1979.4766909).

    s is the mean distance of a label's samples to its centroid, d the distance between centroids.
    """

    columns: ClassVar = {
        "davies_bouldin": MetricColumn(
            "overlap of each label with its most similar", "Davies–Bouldin index", better="lower"
        )
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on all samples; pairs of labels with the same centroid are left out."""
        if data.obstacle:
            return self.undefined(data.obstacle)
        apart = data.centroid_distances > data.resolution
        if not apart.any():
            return self.undefined("All labels have the same centroid.")
        scatter = np.bincount(data.codes, np.sqrt(data.spread)) / data.class_sizes
        overlap = np.zeros_like(data.centroid_distances)
        np.divide(
            scatter + scatter[:, np.newaxis], data.centroid_distances, out=overlap, where=apart
        )
        coinciding = (apart.size - len(apart) - int(apart.sum())) // 2
        note = f"{coinciding} pairs of labels with the same centroid are left out."
        value = float(overlap.max(axis=1).mean())
        return {"davies_bouldin": Measurement(value, note=note if coinciding else None)}
