"""The metrics table: one row per encoder, variant and pooling method."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from latentmap.metrics.metric import known_metrics
from latentmap.report.experiments import (
    Experiment,
    metric_names,
    read_experiments,
    times_chance,
)
from latentmap.store.files import write_plain_json, write_text
from latentmap.store.tables import read_parquet, write_parquet

FilePath = Path | str


def write_metrics_table(
    keys: Sequence[Sequence[str]],
    metrics: Sequence[FilePath],
    descriptions: Mapping[str, str],
    *,
    csv: FilePath,
    json: FilePath,
    parquet: FilePath,
    copies: Sequence[FilePath],
    kept: FilePath | None = None,
) -> None:
    """Write the table of all metrics in three formats, and each of its rows by itself.

    Args:
        keys: (encoder, variant, method) of each row.
        metrics: the files of metrics, in the same order.
        descriptions: of each pooling method, one line.
        csv: output; a metric that is not defined is empty.
        json: output; a list of records.
        parquet: output.
        copies: outputs, `metrics.json` of each row, in the order of the keys: one flat object,
            and where there are targets what is kept of them, column by column.
        kept: what is kept of targets, if there are any.
    """
    table = metrics_table(read_experiments(keys, metrics), descriptions)
    write_text(csv, table.write_csv())
    rows = table.to_dicts()
    write_plain_json(json, rows)
    write_parquet(parquet, table.to_arrow())
    targets = {} if kept is None else _by_embedding(kept)
    for key, row, output in zip(keys, rows, copies, strict=True):
        found = targets.get(tuple(key))
        more = {} if found is None else {"targets": found.to_dict(as_series=False)}
        write_plain_json(output, {**row, **more})


def write_targets_table(kept: FilePath, csv: FilePath, parquet: FilePath) -> None:
    """Write what is kept of targets: one row for each embedding, target and metric.

    Args:
        kept: `targets/what_is_kept.parquet`.
        csv: output; a figure that is not defined is empty.
        parquet: output.
    """
    table = read_parquet(kept)
    write_text(csv, pl.DataFrame(table).write_csv())
    write_parquet(parquet, table)


def _by_embedding(kept: FilePath) -> dict[tuple[str, ...], pl.DataFrame]:
    """Return what is kept of targets by (encoder, variant, method), without these columns."""
    table = pl.DataFrame(read_parquet(kept))
    return table.partition_by("encoder", "variant", "method", as_dict=True, include_key=False)


def metrics_table(
    experiments: Sequence[Experiment], descriptions: Mapping[str, str]
) -> pl.DataFrame:
    """Return one row per experiment.

    Columns: encoder, variant, method, what the method does (`description`) and the shape of its
    embedding, `(N, 16)` (`output_shape`); then for each metric its value, followed by `_chance`,
    `_chance_low`, `_chance_high`, `_times_chance`, `_times_uniform_chance`, `_effect`, `_low`,
    `_high` and `_p_value` where any row has them. Counts are whole numbers.
    """
    columns: dict[str, list[Any]] = {
        name: [getattr(experiment.key, name) for experiment in experiments]
        for name in ("encoder", "variant", "method")
    }
    columns["description"] = [descriptions.get(one.key.method) for one in experiments]
    columns["output_shape"] = [_shape(one.value("n_dimensions")) for one in experiments]
    numbers: dict[str, list[float | None]] = {}
    for metric in metric_names(experiments):
        parts = [_parts(experiment, metric) for experiment in experiments]
        for suffix in parts[0]:
            column = [part[suffix] for part in parts]
            if suffix == "" or any(value is not None for value in column):
                numbers[metric + suffix] = column
    counts = {name for name, column in known_metrics().items() if column.counts}
    types = {name: pl.Int64 if name in counts else pl.Float64 for name in numbers}
    return pl.DataFrame(
        {**columns, **numbers},
        schema_overrides={**dict.fromkeys(columns, pl.String), **types},
        strict=False,
    )


def _shape(dimensions: float) -> str | None:
    return None if math.isnan(dimensions) else f"(N, {dimensions:.0f})"


def _parts(experiment: Experiment, metric: str) -> dict[str, float | None]:
    measurement = experiment[metric]
    low, high = measurement.interval or (None, None)
    chance_low, chance_high = measurement.chance_range or (None, None)
    times, times_uniform = times_chance(experiment, metric)
    parts = {
        "": measurement.value,
        "_chance": measurement.chance,
        "_chance_low": chance_low,
        "_chance_high": chance_high,
        "_times_chance": times,
        "_times_uniform_chance": times_uniform,
        "_effect": measurement.effect,
        "_low": low,
        "_high": high,
        "_p_value": measurement.p_value,
    }
    return {name: None if v is None or math.isnan(v) else v for name, v in parts.items()}
