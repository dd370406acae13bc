"""Measuring one embedding: every chosen metric, into one file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.metric import METRICS, LabelledEmbedding, Measurement
from latentmap.neighbors.graph import read_graph
from latentmap.store.files import write_json
from latentmap.store.samples import read_samples
from latentmap.store.tables import check_ids, read_embedding, read_tokens

MetricOptions = Mapping[str, Mapping[str, Any] | None]


def measure_embedding(
    embedding: Path | str,
    neighbors: Path | str,
    samples: Iterable[Path | str],
    metrics: MetricOptions,
    output: Path | str,
) -> None:
    """Read one embedding with its neighbors and labels, and write its figures.

    Args:
        embedding: Parquet file of the embedding.
        neighbors: Parquet file of its neighbor graph.
        samples: the shards of samples, in the manifest's order.
        metrics: options of each chosen metric; None for its defaults.
        output: JSON file of what `measure` returns; a figure that is not defined is null there.

    Raises:
        LatentmapError: the rows of a file are not the samples, or hold too few neighbors.
    """
    table = read_samples(samples, ["id", "label", "label_group", "source_group"])
    expected = table["id"].to_pylist()
    ids, values = read_embedding(embedding)
    check_ids(embedding, ids, expected)
    graph = read_graph(neighbors)
    check_ids(neighbors, graph.ids, expected)
    labels, label_groups, source_groups = (
        np.array(table[name].to_pylist(), np.str_)
        for name in ("label", "label_group", "source_group")
    )
    tokens = read_tokens(embedding)
    data = LabelledEmbedding(values, labels, label_groups, source_groups, graph, tokens)
    write_json(output, measure(data, metrics))


def measure(data: LabelledEmbedding, metrics: MetricOptions) -> dict[str, Any]:
    """Measure one embedding.

    Args:
        data: the embedding with its labels and neighbors.
        metrics: options of each chosen metric; None for its defaults.

    Returns:
        `samples`, their number; `figures`, by name the fields of its `Measurement`; and `labels`,
        by name its number of samples `n` and what metrics say of it.

    Raises:
        LatentmapError: a metric asks for more neighbors than the graph holds.
    """
    figures: dict[str, dict[str, Any]] = {}
    labels: dict[str, NDArray[Any]] = {"n": data.class_sizes}
    for name, options in metrics.items():
        metric = METRICS.create(name, options)
        figures |= {figure: _rounded(found) for figure, found in metric.measure(data).items()}
        labels |= metric.by_label(data)
    return {
        "samples": len(data.values),
        "figures": figures,
        "labels": {
            str(label): {figure: column[row].item() for figure, column in labels.items()}
            for row, label in enumerate(data.classes)
        },
    }


def _rounded(found: Measurement) -> dict[str, Any]:
    """Return the fields with a value of nine digits: more would vary with the number of threads."""
    return {
        "value": float(f"{found.value:.9g}"),
        "chance": found.chance,
        "interval": found.interval,
        "p_value": found.p_value,
        "note": found.note,
    }
