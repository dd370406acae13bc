"""Label agreement of neighbors: the share of the nearest neighbors that have the same label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.agreement import (
    NO_NEIGHBOR,
    WHERE,
    NeighborMetricOptions,
    agreements,
    beside_chance,
    obstacle,
)
from latentmap.metrics.label_curve import label_curve
from latentmap.metrics.metric import MACRO, LabelledEmbedding, Measurement, Metric, share_column
from latentmap.metrics.permutation import chance_of

# Of each label: its mean share, what to expect of it by chance, how far it is from that (see
# `ChanceLevels.deviations`), and its interval, which holds for all labels at once.
OF_LABELS = ("rate", "chance", "deviation", "low", "high")
SHARE = "same-label share of the nearest neighbors"


class KnnCategory(Metric[NeighborMetricOptions]):
    """Share of the k nearest neighbors that have the sample's label.

    `acc` is its mean over samples, in which frequent labels weigh more; `acc_macro` and
    `acc_median` are the mean and the median over labels, each label's being the mean over its
    samples. `rate_mean` and `rate_median` are over samples. Chance is the mean under permuted
    labels (`metrics/permutation.py`).
    """

    Options = NeighborMetricOptions
    reads_neighbors = True
    columns: ClassVar = {
        f"knn_category_{name}{suffix}": share_column(
            f"{meaning}{where}", f"kNN label purity{title}{across}", ranks=ranks
        )
        for suffix, (across, where) in WHERE.items()
        for name, title, meaning, ranks in (
            ("acc", "", SHARE, True),
            ("acc_macro", ", macro", f"mean over labels of the {SHARE}", True),
            ("acc_median", ", median label", f"median over labels of the {SHARE}", False),
        )
    } | {
        "knn_category_rate_mean": share_column(
            f"mean over samples of the {SHARE}", "kNN label purity, mean"
        ),
        "knn_category_rate_median": share_column(
            f"median over samples of the {SHARE}", "kNN label purity, median"
        ),
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on both neighbor lists."""
        reason = data.obstacle or obstacle(data, self.options.k)
        if reason:
            return self._undefined(data, reason)
        found = self._undefined(data, NO_NEIGHBOR)
        lists = {
            "": (data.graph.every, np.arange(len(data.codes))),
            "_grouped": (data.graph.grouped, data.sources),
        }
        both = agreements(data, data.codes, self.options.k, precise=True)
        for suffix, agreed, chance in both:
            losses = agreed.losses(data.sources)
            rates, permuted = agreed.by_class(agreed.shares), chance.by_class
            mean, median = agreed.mean(chance.overall, losses), float(np.median(rates))
            deviations, largest = chance.deviations(rates)
            intervals = agreed.class_intervals(losses).T
            by_label = (rates, permuted.mean(axis=0), deviations, *intervals)
            found |= {
                f"knn_category_acc{suffix}": replace(
                    mean,
                    by_label=_named(suffix, by_label),
                    label_deviations=largest,
                    by_k=label_curve(data, *lists[suffix], self.options.k),
                ),
                f"knn_category_acc{MACRO}{suffix}": agreed.macro(chance.macro, losses),
                f"knn_category_acc_median{suffix}": beside_chance(
                    median, chance_of(median, np.median(permuted, axis=1))
                ),
            }
            if not suffix:
                found |= {
                    "knn_category_rate_mean": beside_chance(mean.value, chance.overall),
                    "knn_category_rate_median": Measurement(float(np.median(agreed.shares))),
                }
        return found

    def _undefined(self, data: LabelledEmbedding, reason: str) -> dict[str, Measurement]:
        unknown = [np.full(len(data.classes), np.nan)] * len(OF_LABELS)
        found = self.undefined(reason)
        for suffix in WHERE:
            name = f"knn_category_acc{suffix}"
            found[name] = replace(found[name], by_label=_named(suffix, unknown))
        return found


def _named(suffix: str, columns: Sequence[NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    return {
        f"knn_category_{name}{suffix}": column
        for name, column in zip(OF_LABELS, columns, strict=True)
    }
