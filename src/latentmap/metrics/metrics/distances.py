"""Distances: of samples to their label's centroid, and between the labels' centroids."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from latentmap.config import Options
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric, MetricColumn


class Distances(Metric[Options]):
    """Mean Euclidean distance to the own centroid, between pairs of centroids, and their ratio."""

    columns: ClassVar = {
        "mean_intra_distance": MetricColumn(
            "mean distance of samples to their label's centroid", "distance to own centroid"
        ),
        "mean_inter_distance": MetricColumn(
            "mean distance between two labels' centroids", "distance between centroids"
        ),
        "distance_ratio": MetricColumn(
            "distance between centroids over distance to the own centroid",
            "centroid distance ratio",
            better="higher",
        ),
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on all samples."""
        if data.obstacle:
            return self.undefined(data.obstacle)
        pairs = np.triu_indices(len(data.classes), 1)
        intra = float(np.sqrt(data.spread).mean())
        inter = float(data.centroid_distances[pairs].mean())
        ratio = (
            Measurement(inter / intra)
            if intra > 0
            else Measurement(float("nan"), note="All samples of a label have the same values.")
        )
        return {
            "mean_intra_distance": Measurement(intra),
            "mean_inter_distance": Measurement(inter),
            "distance_ratio": ratio,
        }
