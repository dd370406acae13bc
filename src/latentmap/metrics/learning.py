"""What more data does: the metric that ranks and the linear probe over growing sets of groups."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.density import DensityOptions
from latentmap.metrics.inference import FEWEST_GROUPS, StatisticsOptions
from latentmap.metrics.measure import MetricOptions, measure, read_labelled
from latentmap.metrics.metric import METRICS, LabelledEmbedding, headlines
from latentmap.neighbors.search import NeighborOptions
from latentmap.store.files import read_json, reading, write_json

PROBE = "probe_linear_acc"
# Sizes below all samples, each half of the one before, and sets of each.
SIZES = 3
SETS = 4
# Samples of the largest of these, on average: what is measured of more takes long.
MOST_SAMPLES = 8192

Paths = Mapping[str, Path | str]


def trace_learning(
    embeddings: Paths,
    neighbors: Paths,
    metrics: Paths,
    samples: Sequence[Path | str],
    headline: str,
    options: MetricOptions,
    search: NeighborOptions,
    seed: int,
    output: Path | str,
) -> None:
    """Measure the best method of one encoder and variant on growing sets of source groups.

    A set has half, a quarter or an eighth of all source groups, drawn at random; sets of one size
    have none in common. Each is measured as if there were no other samples.

    Args:
        embeddings: Parquet file of each method's embedding.
        neighbors: Parquet file of each method's neighbor graph.
        metrics: JSON file of each method's metrics.
        samples: the shards of samples, in the manifest's order.
        headline: the metric that ranks.
        options: of the metrics that are `traced`; None for their defaults.
        search: how neighbors are found.
        seed: of the sets.
        output: JSON file: the `method`, null if the metric is defined for none; and `curves`, of
            the metric that ranks and of the linear probe. A curve has points from few source groups
            to all of them: `source_groups` and `samples`, means over the sets, and the `values` of
            the sets, null where the metric is not defined.

    Raises:
        LatentmapError: the rows of a file are not the samples, or a file of metrics is damaged.
    """
    found = {method: _values(path) for method, path in metrics.items()}
    ranks = next((n for n in headlines(headline) if any(n in one for one in found.values())), None)
    if ranks is None:
        write_json(output, {"method": None, "curves": {}})
        return
    best = min(found, key=lambda method: (-found[method].get(ranks, -math.inf), method))
    statistics = StatisticsOptions(permutations=1, seed=seed)
    files = embeddings[best], neighbors[best], samples
    data = read_labelled(*files, statistics, DensityOptions(), search).labelled
    curves = {} if data is None else _curves(data, ranks, options, found[best])
    write_json(output, {"method": best, "curves": curves})


def traced(headline: str, options: MetricOptions) -> MetricOptions:
    """Return the metrics, with their options, that give what ranks and the linear probe."""
    columns = {*headlines(headline), PROBE}
    return {
        metric: given
        for metric, given in options.items()
        if not columns.isdisjoint(METRICS[metric].columns)
    }


def _values(path: Path | str) -> dict[str, float]:
    """Return the metrics that are defined."""
    with reading(path, "a file of metrics"):
        found = {name: entry["value"] for name, entry in read_json(path)["metrics"].items()}
    return {name: value for name, value in found.items() if value is not None}


def _curves(
    data: LabelledEmbedding, ranks: str, options: MetricOptions, of_all: Mapping[str, float]
) -> dict[str, list[dict[str, Any]]]:
    """Return the points of the metric that ranks and, where it is measured, of the linear probe.

    Args:
        data: all samples that have a label.
        ranks: the metric that ranks.
        options: of the metrics that give these.
        of_all: all metrics of all samples.
    """
    curves: dict[str, list[dict[str, Any]]] = {n: [] for n in (ranks, PROBE) if n in of_all}
    for sets in growing_sets(data.sources, data.statistics.seed):
        some = [data.only(rows) for rows in sets]
        measured = [measure(one, options)[0] for one in some]
        for name, points in curves.items():
            points.append(_point(some, [one[name].value for one in measured]))
    for name, points in curves.items():
        points.append(_point([data], [of_all[name]]))
    return curves


def growing_sets(sources: NDArray[np.intp], seed: int) -> Iterator[list[NDArray[np.intp]]]:
    """Yield the rows of sets of source groups, all of one size at a time, the smallest first.

    Args:
        sources: (N,) number of each sample's source group, every one up to the largest in use.
        seed: of the sets.
    """
    groups = int(sources.max()) + 1
    place = np.random.default_rng(seed).permutation(groups)[sources]
    largest = max(math.ceil(math.log2(len(sources) / MOST_SAMPLES)), 1)
    for halvings in reversed(range(largest, largest + SIZES)):
        parts = 2**halvings
        if groups // parts >= FEWEST_GROUPS:
            yield [np.flatnonzero(place % parts == part) for part in range(min(parts, SETS))]


def _point(sets: Sequence[LabelledEmbedding], values: Sequence[float]) -> dict[str, Any]:
    """Return one point of a curve; six digits, more would vary with the number of threads."""
    return {
        "source_groups": float(np.mean([one.sources.max() + 1 for one in sets])),
        "samples": float(np.mean([len(one.values) for one in sets])),
        "values": [float(f"{value:.6g}") for value in values],
    }
