"""Calinski-Harabasz index: the F-ratio per degree of freedom."""

from __future__ import annotations

from typing import ClassVar

from latentmap.config import Options
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric, MetricColumn


class CalinskiHarabasz(Metric[Options]):
    """Variance ratio criterion (Calinski & Harabasz 1974, doi:10.1080/03610927408827101)."""

    columns: ClassVar = {
        "calinski_harabasz": MetricColumn(
            "variance between labels over variance within, per degree of freedom",
            "Calinski–Harabasz index",
            better="higher",
        )
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on all samples."""
        if data.obstacle:
            return self.undefined(data.obstacle)
        within = float(data.spread.sum())
        if within == 0:
            return self.undefined("All samples of a label have the same values.")
        count, classes = len(data.values), len(data.classes)
        value = (data.between / (classes - 1)) / (within / (count - classes))
        return {"calinski_harabasz": Measurement(value)}
