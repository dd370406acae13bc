"""Group agreement of neighbors: the share of nearest neighbors of the same label group."""

from __future__ import annotations

from typing import ClassVar

from latentmap.metrics.agreement import (
    NO_NEIGHBOR,
    WHERE,
    NeighborMetricOptions,
    agreements,
    beside_chance,
    obstacle,
)
from latentmap.metrics.metric import MACRO, LabelledEmbedding, Measurement, Metric, share_column

SHARE = "same-group share of the nearest neighbors"


class KnnGroup(Metric[NeighborMetricOptions]):
    """Mean share of the k nearest neighbors that have the sample's label group.

    `acc` is its mean over samples, `acc_macro` the mean over label groups of that over their
    samples. `rate_mean` is over samples. Chance is the mean under permuted label groups, as for
    labels.
    """

    Options = NeighborMetricOptions
    reads_neighbors = True
    columns: ClassVar = {
        f"knn_group_acc{average}{suffix}": share_column(
            f"{meaning}{where}", f"kNN group purity{title}{across}", ranks=True
        )
        for suffix, (across, where) in WHERE.items()
        for average, title, meaning in (
            ("", "", SHARE),
            (MACRO, ", macro", f"mean over label groups of the {SHARE}"),
        )
    } | {
        "knn_group_rate_mean": share_column(
            f"mean over samples of the {SHARE}", "kNN group purity, mean"
        )
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on both neighbor lists."""
        reason = data.group_obstacle or obstacle(data, self.options.k)
        if reason:
            return self.undefined(reason)
        found = self.undefined(NO_NEIGHBOR)
        for suffix, agreed, chance in agreements(data, data.group_codes, self.options.k):
            losses = agreed.losses(data.sources)
            mean = agreed.mean(chance.overall, losses)
            found |= {
                f"knn_group_acc{suffix}": mean,
                f"knn_group_acc{MACRO}{suffix}": agreed.macro(chance.macro, losses),
            }
            if not suffix:
                found["knn_group_rate_mean"] = beside_chance(mean.value, chance.overall)
        return found
