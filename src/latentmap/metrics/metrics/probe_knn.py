"""Probe by vote: whether the nearest samples of other source groups outvote the wrong labels."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.agreement import NO_NEIGHBOR, NeighborMetricOptions, obstacle
from latentmap.metrics.inference import interval_parts
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric
from latentmap.metrics.probes import (
    NOTHING_TO_TEST,
    PERMUTATIONS,
    UNTESTED,
    Answers,
    occurs_elsewhere,
    probe_columns,
    probe_measurements,
)
from latentmap.neighbors.graph import nearest


class ProbeKnn(Metric[NeighborMetricOptions]):
    """Classification of every sample by its k nearest neighbors of other source groups.

    The label that most of them have is the answer; of labels with as many votes, that of the
    nearest neighbor. Neighbors at the same distance come in the order of their rows. A sample
    whose label no other source group has is not tested; where that leaves some out, the note
    says how many are.
    """

    Options = NeighborMetricOptions
    reads_neighbors = True
    columns: ClassVar = probe_columns(
        "probe_knn", "kNN probe", "the vote of the nearest neighbors outside the source group"
    )

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on the neighbors of other source groups."""
        reason = data.obstacle or obstacle(data, self.options.k)
        if reason:
            return self.undefined(reason)
        if not data.sources.any():
            return self.undefined(NO_NEIGHBOR)
        testable = occurs_elsewhere(data.codes, data.sources, len(data.classes))
        if not testable.any():
            return self.undefined(NOTHING_TO_TEST)
        neighbors = nearest(data.graph.grouped, self.options.k).indices

        def answered(tables: Iterable[NDArray[np.integer]]) -> Answers:
            """Ask for the labels of (N, some) tables; a sample with -1 is not there."""
            parts = [
                (
                    table,
                    np.where((table >= 0) & testable[table], _votes(table, neighbors), UNTESTED),
                )
                for table in tables
            ]
            codes, given = (np.concatenate(each, axis=1) for each in zip(*parts, strict=True))
            return Answers(codes, given)

        codes = data.codes[:, np.newaxis]
        parts = interval_parts(data.sources, data.statistics.seed)
        left = np.tile(codes, len(parts))
        for place, part in enumerate(parts):
            left[part, place] = UNTESTED
        draws = min(data.statistics.permutations, PERMUTATIONS), data.statistics.seed
        permuted = data.exchange(data.codes).permuted(*draws)
        return probe_measurements(
            "probe_knn", data, answered([codes]), answered([left]), answered(permuted)
        )


def _votes(table: NDArray[np.integer], neighbors: NDArray[np.int32]) -> NDArray[np.integer]:
    """Return the most frequent label among the neighbors of every row, (N, some).

    Args:
        table: (N, some) labels; -1 where a sample is not there.
        neighbors: (N, k) rows, nearest first; -1 where there is none.
    """
    padded = np.append(table, np.full_like(table[:1], -1), axis=0)
    labels = [padded[column] for column in neighbors.T]
    votes = np.ones((len(labels), *table.shape), np.uint8 if len(labels) < 256 else np.intp)
    for one, other in combinations(range(len(labels)), 2):
        same = labels[one] == labels[other]
        votes[one] += same
        votes[other] += same
    most, found = np.zeros_like(votes[0]), np.full_like(table, -1)
    for label, own in zip(labels, votes, strict=True):
        # Only more votes than those of a nearer neighbor's label count.
        better = (label >= 0) & (own > most)
        np.copyto(most, own, where=better)
        np.copyto(found, label, where=better)
    return found
