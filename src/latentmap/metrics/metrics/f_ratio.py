"""F-ratio: spread of the labels' centroids over the spread of samples around them."""

from __future__ import annotations

from typing import ClassVar

from latentmap.config import Options
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric, MetricColumn


class FRatio(Metric[Options]):
    """Between-class over within-class sum of squares, summed over samples and dimensions.

    sum_i |mu_c(i) - mu|² / sum_i |x_i - mu_c(i)|²: the F statistic of an analysis of variance
    before its division by degrees of freedom.
    """

    columns: ClassVar = {
        "f_ratio": MetricColumn(
            "variance between labels over variance within", "F-ratio", better="higher"
        )
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on all samples."""
        if data.obstacle:
            return self.undefined(data.obstacle)
        within = float(data.spread.sum())
        if within == 0:
            return self.undefined("All samples of a label have the same values.")
        return {"f_ratio": Measurement(data.between / within)}
