"""Measuring one embedding: every chosen metric, into one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.config import Options
from latentmap.errors import LatentmapError
from latentmap.metrics.contributions import Contributions
from latentmap.metrics.density import DensityOptions, write_sampling_weights
from latentmap.metrics.exchange import Exchange
from latentmap.metrics.inference import StatisticsOptions, too_few
from latentmap.metrics.metric import METRICS, LabelledEmbedding, Measurement, Metric, at_k
from latentmap.metrics.permutation import most_permutations
from latentmap.neighbors.graph import Audit, NeighborGraph, read_graph
from latentmap.neighbors.rows import compared, row_lengths
from latentmap.neighbors.search import NeighborOptions
from latentmap.store.files import write_json
from latentmap.store.samples import read_samples
from latentmap.store.tables import (
    check_ids,
    numbers,
    read_embedding,
    read_tokens,
    strings,
    write_parquet,
)

# What is said of each point of a curve.
CURVE = ("k", "value", "chance", "chance_range", "interval")

MetricOptions = Mapping[str, Mapping[str, Any] | None]


def measure_embedding(
    embedding: Path | str,
    neighbors: Path | str,
    samples: Iterable[Path | str],
    metrics: MetricOptions,
    statistics: StatisticsOptions,
    density: DensityOptions,
    search: NeighborOptions,
    output: Path | str,
    scores: Path | str,
    weights: Path | str,
) -> None:
    """Read one embedding with its neighbors and labels, and write its metrics.

    Args:
        embedding: Parquet file of the embedding.
        neighbors: Parquet file of its neighbor graph.
        samples: the shards of samples, in the manifest's order.
        metrics: options of each chosen metric; None for its defaults.
        statistics: how chance and uncertainty are estimated.
        density: how the local density is computed.
        search: how the graph was made; the neighbors among labelled samples are found in the same
            way, where some have no label.
        output: JSON file of what `describe` returns; a metric that is not defined is null there.
        scores: Parquet file of id and, for each metric by which methods can be ranked, what each
            sample contributes to it, float32; NaN where a sample has no label. For other numbers
            of neighbors the name ends in @ and their number.
        weights: Parquet file of density and sampling weights; see `write_sampling_weights`.

    Raises:
        LatentmapError: the rows of a file are not the samples, or hold too few neighbors.
    """
    data = read_labelled(embedding, neighbors, samples, statistics, density, search)
    measured, by_label = measure(data, metrics)
    write_json(output, describe(data, measured, by_label))
    columns = {name: numbers(column) for name, column in scores_of(data, measured).items()}
    write_parquet(scores, pa.table({"id": strings(data.graph.ids), **columns}))
    write_sampling_weights(
        weights, data.graph.ids, data.local_density, density.k, data.graph.exactness
    )


def read_labelled(
    embedding: Path | str,
    neighbors: Path | str,
    samples: Iterable[Path | str],
    statistics: StatisticsOptions,
    density: DensityOptions,
    search: NeighborOptions,
) -> LabelledEmbedding:
    """Read one embedding with its neighbors and labels; the arguments of `measure_embedding`.

    Raises:
        LatentmapError: the rows of a file are not the samples.
    """
    table = read_samples(samples, ["id", "label", "label_group", "source_group"])
    expected = table["id"].to_pylist()
    ids, values = read_embedding(embedding)
    check_ids(embedding, ids, expected)
    graph = read_graph(neighbors)
    check_ids(neighbors, graph.ids, expected)
    labels, label_groups, source_groups = (
        np.array(table[name].fill_null("").to_pylist(), np.str_)
        for name in ("label", "label_group", "source_group")
    )
    tokens = read_tokens(embedding)
    return labelled(
        values, labels, label_groups, source_groups, graph, tokens, statistics, density, search
    )


def labelled(
    values: NDArray[np.float32],
    labels: NDArray[np.str_],
    label_groups: NDArray[np.str_],
    source_groups: NDArray[np.str_],
    graph: NeighborGraph,
    tokens: int,
    statistics: StatisticsOptions,
    density: DensityOptions,
    search: NeighborOptions,
) -> LabelledEmbedding:
    """Return an embedding with its labels, its rows as its graph compares them.

    Args:
        values: (N, D) float32 embedding, as it came.
        labels: (N,) as for `LabelledEmbedding`, and so are the others.
        label_groups: (N,).
        source_groups: (N,).
        graph: its neighbors.
        tokens: tokens that the pooling method would hand to a model.
        statistics: how chance and uncertainty are estimated.
        density: how the local density is computed.
        search: how the graph was made.
    """
    lengths = row_lengths(values) if graph.metric == "cosine" else None
    return LabelledEmbedding(
        compared(values, graph.metric),
        labels,
        label_groups,
        source_groups,
        graph,
        tokens,
        statistics,
        density,
        search,
        lengths,
    )


def scores_of(
    data: LabelledEmbedding, measured: Mapping[str, Measurement]
) -> dict[str, NDArray[np.float32]]:
    """Return what each sample contributes to the metrics by which methods can be ranked.

    Args:
        data: the embedding.
        measured: what `measure` returned of it.

    Returns:
        By the metric's name, (N,); NaN where a sample has no label. For other numbers of neighbors
        the name ends in @ and their number.
    """
    return {
        name: _among_all(found.contributions, data).astype(np.float32)
        for name, found in _with_curves(measured)
        if found.contributions is not None
    }


def _with_curves(measured: Mapping[str, Measurement]) -> Iterator[tuple[str, Measurement]]:
    """Yield every measurement by its name, and those for other numbers of neighbors."""
    for name, found in measured.items():
        yield name, found
        yield from ((at_k(name, k), one) for k, one in found.by_k.items())


def measure(
    data: LabelledEmbedding, metrics: MetricOptions
) -> tuple[dict[str, Measurement], dict[str, NDArray[Any]]]:
    """Measure one embedding by metrics that are named; see `measure_by`.

    Args:
        data: the embedding with its labels and neighbors.
        metrics: options of each chosen metric; None for its defaults.
    """
    return measure_by([METRICS.create(name, options) for name, options in metrics.items()], data)


def measure_by(
    chosen: Sequence[Metric[Options]], data: LabelledEmbedding
) -> tuple[dict[str, Measurement], dict[str, NDArray[Any]]]:
    """Measure one embedding.

    What needs labels is measured on the samples that have one, as if there were no others, and
    left out where none has one.

    Args:
        chosen: the metrics.
        data: the embedding with its labels and neighbors.

    Returns:
        Every metric, with an interval where what source groups contribute is known; and by name
        what metrics say of each label, (classes,).

    Raises:
        LatentmapError: a metric asks for more neighbors than the graph holds.
    """
    measured = _measured(data, [metric for metric in chosen if not metric.needs_labels])
    labelled = data.labelled
    if labelled is None:
        return measured, {}
    of_labels = [metric for metric in chosen if metric.needs_labels]
    found = _measured(labelled, of_labels)
    labels: dict[str, NDArray[Any]] = {"n": labelled.class_sizes}
    for measurement in found.values():
        labels |= measurement.by_label
    return measured | {name: _of_labelled(one, data) for name, one in found.items()}, labels


def _measured(
    data: LabelledEmbedding, metrics: Iterable[Metric[Options]]
) -> dict[str, Measurement]:
    """Return what some metrics give, with their intervals and corrected for chance."""
    measured: dict[str, Measurement] = {}
    for metric in metrics:
        found = _audited(metric, metric.measure(data), data.graph.audit)
        if found.keys() != metric.columns.keys():
            raise LatentmapError(
                f"The metric '{metric.kind}' gives {_listed(found)}, but its `columns` are "
                f"{_listed(metric.columns)}. Make `measure` give each of them, and nothing else."
            )
        for name, one in found.items():
            column = metric.columns[name]
            effect = column.effect(one.value, one.chance)
            measured[name] = replace(_with_interval(one, column.bounds), effect=effect)
    return measured


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in columns) or "nothing"


def _of_labelled(found: Measurement, data: LabelledEmbedding) -> Measurement:
    """Say how many samples a metric is about, where some have no label."""
    has_label = data.labels != ""
    if has_label.all():
        return found
    said = f"Of the {has_label.sum():,} of {len(has_label):,} samples that have a label."
    return replace(found, note=" ".join(filter(None, (said, found.note))))


def _among_all(contributions: Contributions, data: LabelledEmbedding) -> NDArray[np.float64]:
    """Return what each sample contributes, (N,); NaN without a label, if only labels count."""
    counted = len(contributions.values) == len(data.values) or data.labels != ""
    among_all = np.full(len(data.values), np.nan)
    among_all[counted] = contributions.values
    return among_all


def _audited(
    metric: Metric[Options], measured: dict[str, Measurement], audit: Audit | None
) -> dict[str, Measurement]:
    """Put the recall of an approximate graph beside every metric made from its neighbors."""
    if audit is None or not metric.reads_neighbors:
        return measured
    said = f"From {audit.note}"
    return {
        name: replace(found, note=" ".join(filter(None, (found.note, said))))
        for name, found in measured.items()
    }


def _with_interval(found: Measurement, bounds: tuple[float, float] | None) -> Measurement:
    """Give an interval to a metric with contributions, or a note why there is none."""
    by_k = {k: _with_interval(one, bounds) for k, one in found.by_k.items()}
    found = replace(found, by_k=by_k)
    if found.contributions is None:
        return found
    interval = found.contributions.interval(bounds)
    if interval is not None:
        return replace(found, interval=interval)
    groups = len(found.contributions.without)
    why = f"No interval: {too_few(groups)}."
    return replace(found, note=" ".join(filter(None, (found.note, why))))


def describe(
    data: LabelledEmbedding,
    measured: Mapping[str, Measurement],
    by_label: Mapping[str, NDArray[Any]],
) -> dict[str, Any]:
    """Return what `measure` found as plain values.

    Returns:
        `samples` and `source_groups`, their numbers; `labelled`, how many have a label;
        `permutation`, how chance was estimated, null if no sample has a label; `neighbors`, the
        exactness and the metric of the graph, and how many rows have no direction (`zero_rows`);
        `metrics`, by name the fields of its `Measurement` but for the contributions; and `labels`,
        by name its number of samples `n` and what metrics say of it.
    """
    labelled, statistics = data.labelled, data.statistics
    return {
        "samples": len(data.values),
        "source_groups": int(data.sources.max()) + 1,
        "labelled": 0 if labelled is None else len(labelled.values),
        "permutation": labelled
        and {
            **_exchanged("labels", labelled.exchange(labelled.codes)),
            **_exchanged("label_groups", labelled.exchange(labelled.group_codes)),
            "count": statistics.permutations,
            "most": most_permutations(statistics, len(labelled.values)),
            "seed": statistics.seed,
        },
        "neighbors": {
            **data.graph.exactness,
            "metric": data.graph.metric,
            "zero_rows": data.zero_rows,
        },
        "metrics": {name: _plain(found) for name, found in measured.items()},
        "labels": {
            str(label): {metric: column[row].item() for metric, column in by_label.items()}
            for row, label in enumerate([] if labelled is None else labelled.classes)
        },
    }


def _exchanged(name: str, exchange: Exchange) -> dict[str, Any]:
    return {name: {"scheme": exchange.scheme, "reason": exchange.reason}}


def _plain(found: Measurement) -> dict[str, Any]:
    """Return the fields in nine digits: more would vary with the number of threads."""
    plain: dict[str, Any] = {
        "value": _rounded(found.value),
        "chance": None if found.chance is None else _rounded(found.chance),
        "chance_range": _range(found.chance_range),
        "effect": None if found.effect is None else _rounded(found.effect),
        "interval": _range(found.interval),
        "p_value": found.p_value,
        "note": found.note,
    }
    if found.label_deviations is not None:
        plain["label_deviations"] = [round(one, 4) for one in found.label_deviations.tolist()]
    if found.by_k:
        curve = [_plain(one) | {"k": k} for k, one in found.by_k.items()]
        plain["curve"] = [{name: one[name] for name in CURVE} for one in curve]
    return plain


def _range(ends: tuple[float, float] | None) -> list[float] | None:
    return None if ends is None else [_rounded(end) for end in ends]


def _rounded(value: float) -> float:
    return float(f"{value:.9g}")
