"""What linear probes predict of targets that are numbers, beside what is true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.report.findings import SIGNIFICANT
from latentmap.report.kept.table import Embedding, Figure, WhatIsKept, is_number
from latentmap.store.results import KEPT, PREDICTIONS, TARGET_FACTS, TARGETS, Key, Results
from latentmap.store.tables import check_ids, read_parquet
from latentmap.targets.facts import TargetFacts, read_facts

Floats = NDArray[np.float64]

PROBES = ("ridge_r2", "ridge_cosine")
"""Figures of the predictions, of continuous and of circular targets."""


@dataclass(frozen=True)
class Predicted:
    """What the best embedding says of one target, each sample by a probe that has not seen it.

    Attributes:
        target: the target.
        number: its place among all targets.
        by: the embedding.
        figure: how much it keeps.
        true: (n,) values of the samples for which both are known.
        predicted: (n,) the same, in the same unit; angles within half a turn of the true ones.
    """

    target: TargetFacts
    number: int
    by: Embedding
    figure: Figure
    true: Floats
    predicted: Floats

    @property
    def typical_error(self) -> float:
        """Median distance of a prediction from what is true, in the unit of the target."""
        return float(np.median(np.abs(self.predicted - self.true)))


def best_predictions(results: Results, kept: WhatIsKept) -> Iterator[Predicted]:
    """Yield what the best embedding of a model says of every target that any keeps."""
    truth = read_parquet(results.path(TARGETS))
    ids = truth["id"].to_pylist()
    for number, target in enumerate(kept.targets):
        found = [
            (figure.kept, -place, one, figure)
            for place, one in enumerate(kept.subjects)
            if (figure := one.figures.get(target.name)) and figure.is_above_chance
        ]
        if is_number(target) and found:
            *_, one, figure = max(found)
            true = _numbers(truth[target.name])
            predicted = true - _residual(results, one.keys[0], target, ids, true)
            known = np.isfinite(true) & np.isfinite(predicted)
            yield Predicted(target, number, one, figure, true[known], predicted[known])


def residuals(
    results: Results, key: Key, ids: Sequence[str]
) -> Iterator[tuple[TargetFacts, Floats]]:
    """Yield what one embedding's probe misses of every target that it keeps: true − predicted.

    Args:
        results: of which `RESIDUALS` can be read.
        key: encoder, variant and method.
        ids: (N,) of all samples.

    Yields:
        The target, and (N,) in its unit; NaN where it is not defined. Angles are within half a
        turn.
    """
    for path in results.paths(KEPT, **dict(zip(KEPT.wildcards, key, strict=True))):
        rows = read_parquet(path, ["target", "metric", "p"]).to_pylist()
        told = {
            row["target"]
            for row in rows
            if row["metric"] in PROBES and row["p"] is not None and row["p"] <= SIGNIFICANT
        }
        truth = read_parquet(results.path(TARGETS))
        check_ids(results.path(TARGETS), truth["id"].to_pylist(), ids)
        for target in read_facts(results.path(TARGET_FACTS)):
            if target.name in told:
                true = _numbers(truth[target.name])
                yield target, _residual(results, key, target, ids, true)


RESIDUALS = (KEPT, PREDICTIONS, TARGETS, TARGET_FACTS)
"""The files that `residuals` reads."""


def _residual(
    results: Results, key: Key, target: TargetFacts, ids: Sequence[str], true: Floats
) -> Floats:
    path = results.path(PREDICTIONS, *key)
    table = read_parquet(path, ["id", target.name])
    check_ids(path, table["id"].to_pylist(), ids)
    missed = true - _numbers(table[target.name])
    return (missed + 180) % 360 - 180 if target.kind == "circular" else missed


def _numbers(column: pa.ChunkedArray) -> Floats:
    """Return numbers as (N,), NaN for null."""
    return np.array(column.to_pylist(), np.float64)
