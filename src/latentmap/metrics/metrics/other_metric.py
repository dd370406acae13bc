"""Other metric: whether neighbors by cosine, or by Euclidean distance, would have agreed more."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.metrics.agreement import NeighborMetricOptions, obstacle
from latentmap.metrics.inference import FEWEST_GROUPS, interval_of, jackknife, too_few
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric, MetricColumn
from latentmap.neighbors.distances import column_blocks, row_blocks
from latentmap.neighbors.exact import Distances
from latentmap.neighbors.graph import NeighborList, nearest, neighbor_labels
from latentmap.neighbors.lists import fill, unfilled
from latentmap.neighbors.rows import compared, row_lengths

Numbers = NDArray[np.float64]
Rows = NDArray[np.intp]


class OtherMetricOptions(NeighborMetricOptions):
    """Options of the comparison with the other metric.

    Attributes:
        queries: at most so many samples are asked for their neighbors, drawn at random.
        seed: of that draw.
    """

    queries: int = Field(default=500, ge=1)
    seed: int = 0


class OtherMetric(Metric[OtherMetricOptions]):
    """Same-label share of the k nearest neighbors by the other metric less by the run's.

    By cosine where the run's `neighbors.metric` is Euclidean, and the reverse. Neighbors are those
    of other source groups, where there are several. The interval knows that a sample counts as a
    query and as a neighbor of others.
    """

    Options = OtherMetricOptions
    reads_neighbors = True
    columns: ClassVar = {
        "other_metric_gain": MetricColumn(
            "same-label share of the nearest neighbors by cosine less by Euclidean distance (in a "
            "run by cosine, the reverse)",
            "gain by the other metric",
            bounds=(-1, 1),
        )
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on some of the samples."""
        reason = data.obstacle or obstacle(data, self.options.k)
        if reason:
            return self.undefined(reason)
        queries = self._queries(len(data.codes))
        is_grouped = bool(data.sources.any())
        own = nearest(data.graph.grouped if is_grouped else data.graph.every, self.options.k)
        apart = data.sources if is_grouped else np.arange(len(data.codes))
        other = _neighbors(other_rows(data), queries, apart, self.options.k)
        (found, added), (before, taken) = (
            _shares(data.codes, neighbors, queries) for neighbors in (other, own)
        )
        value = float(found.mean() - before.mean())
        of_samples = added - taken
        of_samples[queries] += found - before - value
        groups = int(data.sources.max()) + 1
        interval, notes = None, []
        if groups < FEWEST_GROUPS:
            notes.append(f"No interval: {too_few(groups)}.")
        else:
            # What the mean is without each group, to first order.
            lost = np.bincount(data.sources, of_samples) / len(queries)
            interval = interval_of(value, jackknife(lost * groups / (groups - 1)))
        if len(queries) < len(data.codes):
            notes.insert(0, f"Of {len(queries):,} samples drawn at random.")
        measured = Measurement(value, interval=interval, note=" ".join(notes) or None)
        return {"other_metric_gain": measured}

    def _queries(self, count: int) -> Rows:
        rng = np.random.default_rng(self.options.seed)
        return np.sort(rng.permutation(count)[: self.options.queries])


def other_rows(data: LabelledEmbedding) -> NDArray[np.float32]:
    """Return the rows as the other metric compares them, (N, r) float32, up to a rotation."""
    rows = data.values if data.graph.rotated is None else _uncentred(data, data.graph.rotated)
    if data.lengths is None:
        return compared(rows, "cosine")
    return (rows * data.lengths[:, np.newaxis]).astype(np.float32)


def _uncentred(data: LabelledEmbedding, rotated: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows with the inner products of the embedding's from those on its principal axes.

    These are around the mean, whose coordinates on the axes follow from its products with the
    rows; what is left of it is a dimension of its own.
    """
    centre = data.values.mean(axis=0, dtype=np.float64)
    along = np.full(len(data.values), -centre @ centre)
    for columns in column_blocks(data.values):
        along += data.values[:, columns] @ centre[columns]
    axes = rotated.astype(np.float64)
    coordinates = axes.T @ along / np.square(axes).sum(axis=0)
    left = math.sqrt(max(centre @ centre - coordinates @ coordinates, 0.0))
    rows = np.hstack([axes + coordinates, np.full((len(axes), 1), left)])
    rows[row_lengths(data.values) == 0] = 0
    return rows.astype(np.float32)


def _neighbors(rows: NDArray[np.float32], queries: Rows, groups: Rows, k: int) -> NeighborList:
    """Return the k nearest rows of other groups for the queries; nothing for others."""
    exact, found = Distances(rows), unfilled(len(rows), k)
    for part in row_blocks(len(rows), len(queries)):
        block = queries[part]
        distances = exact.to_others(block)
        distances[groups[block, np.newaxis] == groups] = np.inf
        fill(found, block, distances)
    return found


def _shares(codes: Rows, neighbors: NeighborList, queries: Rows) -> tuple[Numbers, Numbers]:
    """Return the same-label shares of the queries, and what each sample adds to those of others.

    Returns:
        (queries,), and (N,) above the mean of the shares, summed.
    """
    listed = NeighborList(neighbors.indices[queries], neighbors.distances[queries])
    there = listed.indices >= 0
    same = neighbor_labels(codes, listed) == codes[queries, np.newaxis]
    weights = there / np.maximum(there.sum(axis=1, keepdims=True), 1)
    shares: Numbers = (same * weights).sum(axis=1)
    above = (same - shares.mean()) * weights
    added = np.bincount(listed.indices[there], above[there], len(codes))
    return shares, added.astype(np.float64)
