"""The metrics table: one row per encoder, variant and pooling method."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from latentmap.metrics.metric import Measurement
from latentmap.report.experiments import Experiment, metric_names, read_experiments
from latentmap.store.files import write_plain_json, write_text
from latentmap.store.tables import write_parquet

FilePath = Path | str


def write_metrics_table(
    keys: Sequence[Sequence[str]],
    metrics: Sequence[FilePath],
    *,
    csv: FilePath,
    json: FilePath,
    parquet: FilePath,
    copies: Sequence[FilePath],
) -> None:
    """Write the table of all metrics in three formats, and each of its rows by itself.

    Args:
        keys: (encoder, variant, method) of each row.
        metrics: the files of metrics, in the same order.
        csv: output; a metric that is not defined is empty.
        json: output; a list of records.
        parquet: output.
        copies: outputs, `metrics.json` of each row, in the order of the keys: one flat object.
    """
    table = metrics_table(read_experiments(keys, metrics))
    write_text(csv, table.write_csv())
    rows = table.to_dicts()
    write_plain_json(json, rows)
    write_parquet(parquet, table.to_arrow())
    for row, output in zip(rows, copies, strict=True):
        write_plain_json(output, row)


def metrics_table(experiments: Sequence[Experiment]) -> pl.DataFrame:
    """Return one row per experiment.

    Columns: encoder, variant, method, then for each metric its value, followed by `_chance`,
    `_chance_low`, `_chance_high`, `_effect`, `_low`, `_high` and `_p_value` where any row has them.
    """
    columns: dict[str, list[Any]] = {
        name: [getattr(experiment.key, name) for experiment in experiments]
        for name in ("encoder", "variant", "method")
    }
    numbers: dict[str, list[float | None]] = {}
    for metric in metric_names(experiments):
        parts = [_parts(experiment[metric]) for experiment in experiments]
        for suffix in parts[0]:
            column = [part[suffix] for part in parts]
            if suffix == "" or any(value is not None for value in column):
                numbers[metric + suffix] = column
    return pl.DataFrame(
        {**columns, **numbers},
        schema_overrides=dict.fromkeys(columns, pl.String) | dict.fromkeys(numbers, pl.Float64),
        strict=False,
    )


def _parts(measurement: Measurement) -> dict[str, float | None]:
    low, high = measurement.interval or (None, None)
    chance_low, chance_high = measurement.chance_range or (None, None)
    parts = {
        "": measurement.value,
        "_chance": measurement.chance,
        "_chance_low": chance_low,
        "_chance_high": chance_high,
        "_effect": measurement.effect,
        "_low": low,
        "_high": high,
        "_p_value": measurement.p_value,
    }
    return {name: None if v is None or math.isnan(v) else v for name, v in parts.items()}
