"""Probe by vote: whether the nearest samples of other source groups outvote the wrong labels."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.agreement import NO_NEIGHBOR, NeighborMetricOptions, obstacle
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric
from latentmap.metrics.probes import (
    NOTHING_TO_TEST,
    UNTESTED,
    occurs_elsewhere,
    probe_figures,
    probe_measurements,
)
from latentmap.neighbors.graph import nearest, neighbor_labels


class ProbeKnn(Metric[NeighborMetricOptions]):
    """Classification of every sample by its k nearest neighbors of other source groups.

    The label that most of them have is the answer; of labels with as many votes, that of the
    nearest neighbor. Neighbors at the same distance come in the order of their rows. A sample
    whose label no other source group has is not tested; where that leaves some out, the note
    says how many are.
    """

    Options = NeighborMetricOptions
    reads_neighbors = True
    figures: ClassVar = probe_figures(
        "probe_knn", "the vote of the nearest neighbors outside the source group"
    )

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on the neighbors of other source groups."""
        reason = data.obstacle or obstacle(data, self.options.k)
        if reason:
            return self.undefined(reason)
        groups = np.unique(data.source_groups, return_inverse=True)[1]
        if not groups.any():
            return self.undefined(NO_NEIGHBOR)
        tested = occurs_elsewhere(data.codes, groups)
        if not tested.any():
            return self.undefined(NOTHING_TO_TEST)
        labels = neighbor_labels(data.codes, nearest(data.graph.grouped, self.options.k))
        return probe_measurements("probe_knn", data, np.where(tested, _votes(labels), UNTESTED))


def _votes(labels: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the most frequent label of every row.

    Args:
        labels: (N, k) of the neighbors, nearest first; -1 where there is none.
    """
    votes = np.zeros(labels.shape, np.intp)
    for column in labels.T:
        votes += labels == column[:, np.newaxis]
    votes[labels < 0] = 0
    # The first maximum is the nearest neighbor's among labels with as many votes.
    return np.take_along_axis(labels, votes.argmax(axis=1)[:, np.newaxis], axis=1)[:, 0]
