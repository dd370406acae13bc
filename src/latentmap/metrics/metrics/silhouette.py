"""Silhouette: how much nearer a sample is to its own label's samples than to the next label's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options
from latentmap.metrics.inference import (
    FEWEST_GROUPS,
    interval_of,
    jackknife,
    jackknife_parts,
    too_few,
)
from latentmap.metrics.metric import (
    SHARED_ROWS,
    LabelledEmbedding,
    Measurement,
    Metric,
    MetricColumn,
)
from latentmap.neighbors.distances import Points, row_blocks

BOUNDS = (-1.0, 1.0)
Block = tuple[slice, NDArray[Any]]
"""Some rows, and their distances (b, N) to all rows."""


class SilhouetteOptions(Options):
    """Options of the silhouette.

    Attributes:
        max_samples: of more samples than this, a random subset is measured.
        seed: of that subset.
    """

    max_samples: int = Field(default=10_000, ge=2)
    seed: int = 0


class Silhouette(Metric[SilhouetteOptions]):
    """Mean silhouette of all samples (Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7).

    For a sample at mean distance a from the others of its label and at mean distance b from the
    samples of the nearest other label it is (b - a) / max(a, b), and 0 where a label occurs once.
    """

    Options = SilhouetteOptions
    columns: ClassVar = {
        "silhouette": MetricColumn(
            "mean silhouette of labels, from -1 to 1", "silhouette", better="higher", bounds=BOUNDS
        )
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure on all samples, or on a random subset of a large set."""
        if data.obstacle:
            return self.undefined(data.obstacle)
        count, limit = len(data.values), self.options.max_samples
        if count <= limit:
            return {"silhouette": _measure(_blocks(data), data, np.arange(count))}
        chosen = np.random.default_rng(self.options.seed).choice(count, limit, replace=False)
        chosen.sort()
        if len(np.unique(data.codes[chosen])) in (1, limit):
            return self.undefined(f"{limit} samples hold too few or too many labels.")
        found = _measure(_point_blocks(Points(data.values[chosen])), data, chosen)
        note = " ".join(filter(None, (f"Of {limit} samples drawn at random.", found.note)))
        return {"silhouette": replace(found, note=note)}


def _blocks(data: LabelledEmbedding) -> Iterator[Block]:
    """Yield rows and their distances to all rows, from the shared products if there are any."""
    if len(data.values) > SHARED_ROWS:
        yield from _point_blocks(data.points)
        return
    norms = np.diagonal(data.points.gram)
    squared = norms + norms[:, np.newaxis] - 2 * data.points.gram
    np.fill_diagonal(squared, 0)
    yield slice(0, len(squared)), np.sqrt(np.maximum(squared, 0, out=squared), out=squared)


def _point_blocks(points: Points) -> Iterator[Block]:
    for rows in row_blocks(len(points.values)):
        yield rows, points.distances(rows)


def _measure(
    blocks: Iterator[Block], data: LabelledEmbedding, chosen: NDArray[np.intp]
) -> Measurement:
    """Measure the `chosen` samples, whose distances the blocks hold, and the interval."""
    codes = np.unique(data.codes[chosen], return_inverse=True)[1]
    groups = np.unique(data.source_groups[chosen], return_inverse=True)[1]
    if groups.max() + 1 < FEWEST_GROUPS:
        value, _ = _mean_silhouettes(blocks, codes, [])
        note = f"No interval: {too_few(int(groups.max()) + 1)}."
        return Measurement(value, note=note)
    parts = jackknife_parts(groups, data.statistics.seed)
    value, without = _mean_silhouettes(blocks, codes, parts)
    return Measurement(value, interval=interval_of(value, jackknife(without), BOUNDS))


def _mean_silhouettes(
    blocks: Iterator[Block], codes: NDArray[np.intp], parts: Sequence[NDArray[np.intp]]
) -> tuple[float, NDArray[np.float64]]:
    """Return the mean silhouette of all samples, and of those left without each of the parts.

    Args:
        blocks: distances of all rows, some at a time.
        codes: (N,) label of each sample, every number up to the largest in use.
        parts: rows to leave out, ascending.
    """
    members = np.eye(codes.max() + 1)[codes]
    sizes = members.sum(axis=0)
    total, left = 0.0, np.zeros(len(parts))
    for rows, distances in blocks:
        sums = distances @ members
        total += _silhouettes(sums, sizes, codes[rows]).sum()
        for part, outside in enumerate(parts):
            missing = members[outside]
            scores = _silhouettes(
                sums - distances[:, outside] @ missing, sizes - missing.sum(axis=0), codes[rows]
            )
            scores[outside[(outside >= rows.start) & (outside < rows.stop)] - rows.start] = 0
            left[part] += scores.sum()
    return float(total / len(codes)), left / [len(codes) - len(outside) for outside in parts]


def _silhouettes(
    sums: NDArray[np.float64], sizes: NDArray[np.float64], codes: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the silhouettes of some samples.

    Args:
        sums: (n, labels) summed distances of each to the samples of each label.
        sizes: (labels,) samples of each label.
        codes: (n,) their own labels.
    """
    own = np.arange(len(sums)), codes
    within = sums[own] / np.maximum(sizes[codes] - 1, 1)
    means = np.divide(sums, sizes, out=np.full_like(sums, np.inf), where=sizes > 0)
    means[own] = np.inf
    nearest = means.min(axis=1)
    farther = np.maximum(within, nearest)
    scores = np.divide(
        nearest - within,
        farther,
        out=np.zeros_like(within),
        where=np.isfinite(farther) & (farther > 0),
    )
    return np.where(sizes[codes] > 1, scores, 0.0)
