"""Outlier scores: how far each sample is from what its label has elsewhere in an embedding."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options
from latentmap.metrics.ranks import mean_ranks
from latentmap.neighbors.graph import (
    NeighborGraph,
    nearest,
    neighbor_labels,
    read_compact,
    read_graph_of,
)
from latentmap.store.samples import read_samples
from latentmap.store.tables import numbers, strings, with_facts, write_parquet

Floats = NDArray[np.float64]

ROWS_AT_ONCE = 4096

UNLABELLED = -2
"""Code of samples without a label; -1 stands for a neighbor that is not there."""


class OutlierOptions(Options):
    """Options of the outlier scores of samples.

    Attributes:
        k: nearest neighbors, of other source groups, whose labels are compared with a sample's.
        prototypes: centres that the samples of each label are divided among by k-means. With
            several, samples with the same mistake may get one of their own.
        seed: of k-means.
    """

    k: int = Field(default=10, ge=1)
    prototypes: int = Field(default=3, ge=1)
    seed: int = 0


@dataclass(frozen=True)
class OutlierScores:
    """Scores of all samples, (N,) each; NaN where a sample has no label or nothing is left.

    A centre is always without the samples of the scored sample's own source group, which would
    otherwise pull it towards themselves: k-means gives a single outlier a centre of its own.

    Attributes:
        centroid_distance: to the mean of the label's samples.
        centroid_percentile: its rank within the label, 0 (nearest) to 100; ties share the mean.
        prototype_distance: to the nearest of the label's prototypes.
        prototype_percentile: its rank within the label.
        prototype_margin: how much farther the nearest prototype of another label is; negative
            where that is nearer.
        neighbor_disagreement: share of the nearest labelled neighbors with another label.
    """

    centroid_distance: Floats
    centroid_percentile: Floats
    prototype_distance: Floats
    prototype_percentile: Floats
    prototype_margin: Floats
    neighbor_disagreement: Floats


def score_outliers(
    rows: NDArray[np.float32],
    labels: NDArray[np.intp],
    source_groups: NDArray[np.intp],
    graph: NeighborGraph,
    options: OutlierOptions,
) -> OutlierScores:
    """Score every sample of one embedding.

    Args:
        rows: (N, r) as they are compared.
        labels: (N,) codes from 0; `UNLABELLED` where a sample has none.
        source_groups: (N,) codes.
        graph: their neighbors.
        options: see there.

    Raises:
        LatentmapError: the graph holds fewer than k neighbors per row.
    """
    centroid, own, other = (np.full(len(rows), np.inf) for _ in range(3))
    for label in range(labels.max() + 1):
        members = np.flatnonzero(labels == label)
        within = rows[members].astype(np.float64)
        centroid[members] = _nearest_mean(
            within, source_groups[members], within, source_groups[members]
        )
        prototypes = _prototypes(within, options)
        for prototype in range(prototypes.max() + 1):
            chosen = prototypes == prototype
            found = _nearest_mean(
                rows, source_groups, within[chosen], source_groups[members[chosen]]
            )
            is_own = labels == label
            own = np.where(is_own, np.fmin(own, found), own)
            other = np.where(is_own, other, np.fmin(other, found))
    centroid, own, other = (
        np.where(np.isfinite(found) & (labels >= 0), found, np.nan)
        for found in (centroid, own, other)
    )
    return OutlierScores(
        centroid,
        _percentile_within(centroid, labels),
        own,
        _percentile_within(own, labels),
        other - own,
        _disagreement(labels, graph, options.k),
    )


def _nearest_mean(
    rows: NDArray[np.floating], groups: NDArray[np.intp], members: Floats, own: NDArray[np.intp]
) -> Floats:
    """Return the distance of every row to the mean of some members of other source groups.

    Args:
        rows: (N, r).
        groups: (N,) their source groups.
        members: (n, r).
        own: (n,) their source groups.

    Returns:
        (N,), NaN where all members are of the row's own source group.
    """
    total = members.sum(axis=0)
    distances = _distances(rows, total / len(members))
    order = np.argsort(own, kind="stable")
    present, starts, counts = np.unique(own[order], return_index=True, return_counts=True)
    sums = np.add.reduceat(members[order], starts, axis=0)
    position = np.minimum(np.searchsorted(present, groups), len(present) - 1)
    pulled = np.flatnonzero(present[position] == groups)
    left = len(members) - counts
    means = (total - sums) / np.maximum(left, 1)[:, np.newaxis]
    position = position[pulled]
    distances[pulled] = np.where(
        left[position] > 0, _distances(rows[pulled], means, position), np.nan
    )
    return distances


def _distances(
    rows: NDArray[np.floating], means: Floats, position: NDArray[np.intp] | None = None
) -> Floats:
    """Return the distance of every row to one mean (r,), or to that at its position in several."""
    found = np.empty(len(rows))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        here = slice(start, start + ROWS_AT_ONCE)
        others = means if position is None else means[position[here]]
        found[here] = np.linalg.norm(rows[here] - others, axis=1)
    return found


def _prototypes(rows: Floats, options: OutlierOptions) -> NDArray[np.intp]:
    """Divide the samples of a label by k-means; return which part each is in."""
    from sklearn.cluster import KMeans

    count = min(options.prototypes, len(np.unique(rows, axis=0)))
    if count == 1:
        return np.zeros(len(rows), np.intp)
    found = KMeans(count, n_init=3, random_state=options.seed).fit_predict(rows)
    return np.unique(found, return_inverse=True)[1]


def _percentile_within(values: Floats, labels: NDArray[np.intp]) -> Floats:
    """Return the percentile rank of each value among the others of its label; 50 if it is alone."""
    found = np.full(len(values), np.nan)
    for label in range(labels.max() + 1):
        members = np.flatnonzero((labels == label) & np.isfinite(values))
        ranks = mean_ranks(values[members])
        found[members] = 100 * ranks / (len(members) - 1) if len(members) > 1 else 50
    return found


def _disagreement(labels: NDArray[np.intp], graph: NeighborGraph, k: int) -> Floats:
    found = neighbor_labels(labels, nearest(graph.grouped, k))
    known = found >= 0
    differing = (known & (found != labels[:, np.newaxis])).sum(axis=1)
    counts = known.sum(axis=1)
    shares = np.divide(differing, counts, out=np.full(len(labels), np.nan), where=counts > 0)
    return np.where(labels >= 0, shares, np.nan)


def write_outliers(
    embedding: Path | str,
    neighbors: Path | str,
    samples: Iterable[Path | str],
    options: OutlierOptions,
    output: Path | str,
) -> None:
    """Score the samples of one embedding, and write the scores.

    Args:
        embedding: Parquet file of the embedding.
        neighbors: Parquet file of its neighbor graph.
        samples: the shards of samples, in the manifest's order.
        options: see there.
        output: Parquet file of id and `OutlierScores`, float32; the options are JSON in the
            metadata of its schema.

    Raises:
        LatentmapError: the rows of a file are not the samples, or hold too few neighbors.
    """
    table = read_samples(samples, ["id", "label", "source_group"])
    graph = read_graph_of(embedding, neighbors, table["id"].to_pylist())
    has_label = ~np.asarray(table["label"].is_null())
    names, groups = (
        np.array(table[name].fill_null("").to_pylist(), np.str_)
        for name in ("label", "source_group")
    )
    labels = np.full(len(names), UNLABELLED, np.intp)
    labels[has_label] = np.unique(names[has_label], return_inverse=True)[1]
    sources = np.unique(groups, return_inverse=True)[1]
    scores = score_outliers(read_compact(embedding, graph), labels, sources, graph, options)
    columns = {name: numbers(values.astype(np.float32)) for name, values in vars(scores).items()}
    table = pa.table({"id": strings(graph.ids), **columns})
    write_parquet(output, with_facts(table, {**options.model_dump(), "neighbors": graph.exactness}))
