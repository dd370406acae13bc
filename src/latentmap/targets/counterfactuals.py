"""What one change does to every embedding: whether it is a direction there, and how large it is."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.metrics.inference import StatisticsOptions
from latentmap.neighbors.rows import DistanceMetric, read_rows
from latentmap.store.tables import check_ids, write_parquet
from latentmap.targets.columns import SampleColumns
from latentmap.targets.directions import (
    Direction,
    Moves,
    Size,
    adjusted,
    direction_of,
    moves_of,
    random_signs,
    size_of,
)
from latentmap.targets.pairs import Change, PairOptions, find_changes, strangers

OTHERS = "other pairs"
"""What a change is held beside where no change is irrelevant."""

SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("encoder", "variant", "method")),
        pa.field("baseline", pa.bool_()),
        *(pa.field(name, pa.string()) for name in ("change", "before", "after")),
        *(pa.field(name, pa.int64()) for name in ("pairs", "unchanged", "groups")),
        *(pa.field(name, pa.float64()) for name in ("direction", "low", "high", "chance")),
        *(pa.field(name, pa.float64()) for name in ("p", "p_adjusted")),
        *(pa.field(name, pa.float64()) for name in ("size", "size_low", "size_high")),
        pa.field("beside", pa.string()),
    ]
)
"""One row for each change in each embedding.

before, after: values of the column, where all pairs change from one to one other. unchanged: pairs
whose embeddings are the same up to rounding. groups: of pairs that may inform about each other.
direction: mean cosine of the differences that two pairs of different groups make, with its interval
(low, high), its mean under the null (chance), p and p adjusted for all rows; null where there are
too few groups. size: mean length of the differences in parts of that of `beside`.
"""

Key = tuple[str, str, str]


def compare_pairs(
    options: PairOptions,
    samples: Sequence[Path | str],
    annotations: Path | str | None,
    embeddings: Sequence[tuple[Key, Path | str]],
    baselines: Collection[str],
    statistics: StatisticsOptions,
    metric: DistanceMetric,
    output: Path | str,
) -> None:
    """Measure every change in every embedding.

    Args:
        options: which samples belong together.
        samples: the shards of samples, in the manifest's order.
        annotations: what is joined to the samples, if anything is.
        embeddings: (encoder, variant, method) of each, and its file.
        baselines: names of the encoders that know nothing of the data.
        statistics: how chance and uncertainty are estimated.
        metric: by which the run compares rows.
        output: Parquet file to write, of `SCHEMA`.

    Raises:
        LatentmapError: a column is missing, or no two samples differ in one of the changes alone.
    """
    columns = SampleColumns(samples, annotations)
    changes = find_changes(options, columns)
    groups = 1 + max(int(change.groups.max()) for change in changes)
    signs = random_signs(groups, statistics.permutations, statistics.seed)
    beside = [change for change in changes if change.name in options.irrelevant]
    others = beside or [strangers(changes, statistics.seed)]
    rows, directions = [], []
    for key, path in embeddings:
        ids, values = read_rows(path, metric)
        check_ids(path, ids, columns.ids)
        reference = _moves(others, values, groups)
        for change in changes:
            moves = moves_of(change, values, groups)
            size = size_of(moves, list(reference.values()), statistics.seed)
            directions.append(direction_of(moves, signs, statistics.seed))
            rows.append(_row(key, key[0] in baselines, change, moves, directions[-1], size))
        logging.info("%s: %d changes", "/".join(key), len(changes))
    told = ", ".join(change.name for change in beside) or OTHERS
    for row, p in zip(rows, adjusted(directions), strict=True):
        row |= {"p_adjusted": _known(p), "beside": told}
    write_parquet(output, pa.Table.from_pylist(rows, SCHEMA))


def _moves(changes: Sequence[Change], values: NDArray[np.float32], groups: int) -> dict[str, Moves]:
    return {change.name: moves_of(change, values, groups) for change in changes}


def _row(
    key: Key, baseline: bool, change: Change, moves: Moves, direction: Direction, size: Size
) -> dict[str, object]:
    """Return what is said of one change in one embedding."""
    encoder, variant, method = key
    return {
        "encoder": encoder,
        "variant": variant,
        "method": method,
        "baseline": baseline,
        "change": change.name,
        "before": change.before,
        "after": change.after,
        "pairs": len(change.rows),
        "unchanged": len(change.rows) - int(moves.counts.sum()),
        "groups": len(np.unique(change.groups)),
        "direction": _known(direction.value),
        "low": _known(direction.low),
        "high": _known(direction.high),
        "chance": _known(float(direction.null.mean())),
        "p": _known(direction.p),
        "size": _known(size.value),
        "size_low": _known(size.low),
        "size_high": _known(size.high),
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
