"""Group agreement of neighbors: the share of nearest neighbors of the same label group."""

from __future__ import annotations

from typing import ClassVar

from latentmap.metrics.agreement import (
    NO_NEIGHBOR,
    WHERE,
    NeighborMetricOptions,
    agreements,
    obstacle,
)
from latentmap.metrics.metric import MACRO, LabelledEmbedding, Measurement, Metric, share_column

SHARE = "same-group share of the nearest neighbors"


class KnnGroup(Metric[NeighborMetricOptions]):
    """Mean share of the k nearest neighbors that have the sample's label group.

    `acc` is its mean over samples, `acc_macro` the mean over label groups of that over their
    samples. Chance is the mean under permuted label groups, as for labels.
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
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on both neighbor lists."""
        reason = data.group_obstacle or obstacle(data, self.options.k)
        if reason:
            return self.undefined(reason)
        return self.undefined(NO_NEIGHBOR) | {
            f"knn_group_acc{average}{suffix}": found
            for suffix, agreed, chance in agreements(data, data.group_codes, self.options.k)
            for average, found in (
                ("", agreed.mean(chance.overall, data.sources)),
                (MACRO, agreed.macro(chance.macro, data.sources)),
            )
        }
