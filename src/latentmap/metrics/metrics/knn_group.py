"""Group agreement of neighbors: the share of nearest neighbors of the same label group."""

from __future__ import annotations

from typing import ClassVar

from latentmap.metrics.agreement import (
    NO_NEIGHBOR,
    NeighborMetricOptions,
    agreements,
    obstacle,
)
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric, share_column


class KnnGroup(Metric[NeighborMetricOptions]):
    """Mean share of the k nearest neighbors that have the sample's label group.

    Chance is the mean under permuted label groups, as for labels.
    """

    Options = NeighborMetricOptions
    reads_neighbors = True
    columns: ClassVar = {
        "knn_group_acc": share_column("same-group share of the nearest neighbors", ranks=True),
        "knn_group_acc_grouped": share_column(
            "same-group share of the nearest neighbors, outside their source group", ranks=True
        ),
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on both neighbor lists."""
        reason = data.group_obstacle or obstacle(data, self.options.k)
        if reason:
            return self.undefined(reason)
        return self.undefined(NO_NEIGHBOR) | {
            f"knn_group_acc{suffix}": agreed.mean(chance.overall, data.sources)
            for suffix, agreed, chance in agreements(data, data.group_codes, self.options.k)
        }
