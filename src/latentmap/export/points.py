"""3D maps as `embeddings_3d.json`, in the layout of viewers that exist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.export.columns import SampleColumns
from latentmap.report.labels import NO_LABEL, UNLABELLED, RunLabels, read_labels
from latentmap.samples.cells import as_text
from latentmap.store.files import atomic, json_text
from latentmap.store.maps import read_map
from latentmap.store.samples import read_samples
from latentmap.store.tables import check_ids, matrix, read_parquet

PROMPT_LENGTH, PREFIX_LENGTH = 200, 500
ANSWER_LENGTH = 100
DIGITS = 6
SHOWN = ("id", "label", "text", "chosen", "rejected")


def export_points(
    projection: Path | str,
    weights: Path | str,
    samples: Sequence[Path | str],
    labels: Path | str,
    output: Path | str,
) -> None:
    """Write a 3D map as `embeddings_3d.json`.

    `points` has for each sample its row as `id` and its own id as `sample`, the coordinates scaled
    to [-1, 1] on each axis, its local `density` scaled to [0, 1] between the least and the largest,
    the `density_percentile` (0 to 100), the `size` 0.5 to 2.5 (the rarer, the larger), its sampling
    `weight` (all sum to 1), its label as `source` ("no label" without one) and the `color` of that
    as RGB from 0 to 1, and the first characters of its text, 200 as `prompt` and 500 as `prefix`,
    and of its columns `chosen` and `rejected`. `metadata` has `total_points`, `sources` and their
    `colors`.

    Args:
        projection: Parquet file of the map.
        weights: Parquet file of the embedding's sampling weights, with its local density.
        samples: shards of samples.
        labels: what `collect_labels` wrote.
        output: the file; written point by point.

    Raises:
        LatentmapError: the rows of a file are not the samples.
    """
    ids = read_samples(samples, ["id"])["id"].to_pylist()
    places = read_map(projection, ids).coordinates
    rarity = read_parquet(weights, ["id", "density", "percentile", "weight"])
    check_ids(weights, rarity["id"].to_pylist(), ids)
    coordinates = np.column_stack([2 * _scaled(axis) - 1 for axis in places.T])
    colors = _colors(read_labels(labels))
    metadata = {"total_points": len(ids), "sources": sorted(colors), "colors": colors}
    with atomic(output) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write('{"points": [')
        _write_list(file, _points(samples, coordinates, rarity, colors))
        file.write('],\n"metadata": ' + json_text(metadata) + "}\n")


def _points(
    samples: Sequence[Path | str],
    coordinates: NDArray[np.float64],
    rarity: pa.Table,
    colors: dict[str, list[float]],
) -> Iterator[dict[str, Any]]:
    places = np.round(coordinates, DIGITS)
    density = _scaled(matrix(rarity["density"]))
    percentiles, weights = (matrix(rarity[name]) for name in ("percentile", "weight"))
    columns = SampleColumns(samples)
    shown = [name for name in SHOWN if name in columns.schema.names]
    for row, sample in enumerate(columns.rows(shown)):
        x, y, z = places[row].tolist()
        label = str(sample["label"] or UNLABELLED)
        yield {
            "id": row,
            "sample": sample["id"],
            "x": x,
            "y": y,
            "z": z,
            "size": round(0.5 + 2 * (1 - float(density[row])), DIGITS),
            "color": colors[label],
            "density": round(float(density[row]), DIGITS),
            "density_percentile": round(percentiles[row].item(), 2),
            "weight": float(f"{weights[row].item():.{DIGITS}g}"),
            "source": label,
            "prompt": _start(sample["text"], PROMPT_LENGTH),
            "prefix": _start(sample["text"], PREFIX_LENGTH),
            "chosen": _start(sample.get("chosen"), ANSWER_LENGTH),
            "rejected": _start(sample.get("rejected"), ANSWER_LENGTH),
        }


def _write_list(file: IO[str], values: Iterator[dict[str, Any]]) -> None:
    for number, value in enumerate(values):
        file.write((",\n" if number else "\n") + json_text(value, ensure_ascii=False))


def _start(value: object, length: int) -> str:
    return (as_text(value) or "")[:length]


def _scaled(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return values scaled to [0, 1]; the middle if all are equal."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.full(len(values), 0.5)
    return (values.astype(np.float64) - low) / (high - low)


def _colors(labels: RunLabels) -> dict[str, list[float]]:
    """Return the colour of every label as RGB from 0 to 1."""
    colors = {label: labels.color_of(label) for label in labels.group_of}
    if labels.without:
        colors[UNLABELLED] = labels.color_of(NO_LABEL)
    return {
        label: [round(int(color[i : i + 2], 16) / 255, 4) for i in (1, 3, 5)]
        for label, color in colors.items()
    }
