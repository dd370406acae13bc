"""Label agreement of neighbors: the share of the nearest neighbors that have the same label."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.agreement import (
    NO_NEIGHBOR,
    NeighborMetricOptions,
    agreements,
    obstacle,
)
from latentmap.metrics.metric import Figure, LabelledEmbedding, Measurement, Metric


class KnnCategory(Metric[NeighborMetricOptions]):
    """Share of the k nearest neighbors that have the sample's label.

    `acc` is its mean over samples; `rate` is its mean over the samples of one label, of which the
    mean and the median over labels are given. Chance is the expected value under random labels:
    sum_c n_c (n_c - 1) / (N (N - 1)) for `acc`, or the share of the label among the samples of
    other source groups where only these may be neighbors.
    """

    Options = NeighborMetricOptions
    reads_neighbors = True
    figures: ClassVar = {
        f"knn_category_{name}{suffix}": Figure(f"{meaning}{where}", better="higher")
        for suffix, where in (("", ""), ("_grouped", ", outside their source group"))
        for name, meaning in (
            ("acc", "same-label share of the nearest neighbors"),
            ("rate_mean", "mean over labels of the same-label share of the nearest neighbors"),
            ("rate_median", "median over labels of the same-label share of the nearest neighbors"),
        )
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on both neighbor lists."""
        reason = data.obstacle or obstacle(data, self.options.k)
        if reason:
            return self.undefined(reason)
        found = self.undefined(NO_NEIGHBOR)
        for suffix, agreed in agreements(data, data.codes, self.options.k):
            rates, chances = agreed.by_class(agreed.shares), agreed.by_class(agreed.chances)
            found |= {
                f"knn_category_acc{suffix}": agreed.mean(data.permutation),
                f"knn_category_rate_mean{suffix}": Measurement(
                    float(rates.mean()), float(chances.mean())
                ),
                f"knn_category_rate_median{suffix}": Measurement(float(np.median(rates))),
            }
        return found

    def by_label(self, data: LabelledEmbedding) -> dict[str, NDArray[np.float64]]:
        """Return each label's rate on both neighbor lists."""
        undefined = np.full(len(data.classes), np.nan)
        rates = {"knn_category_rate": undefined, "knn_category_rate_grouped": undefined}
        if not (data.obstacle or obstacle(data, self.options.k)):
            for suffix, agreed in agreements(data, data.codes, self.options.k):
                rates[f"knn_category_rate{suffix}"] = agreed.by_class(agreed.shares)
        return rates
