"""Targets as columns that can colour maps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from latentmap.report.kept.table import is_number
from latentmap.report.points import ShownSamples
from latentmap.store.results import TARGET_FACTS, TARGETS, Results
from latentmap.store.tables import check_ids, read_parquet
from latentmap.targets.facts import TargetFacts, read_facts

DIGITS = 4


def with_targets(shown: ShownSamples, results: Results) -> ShownSamples:
    """Return the samples with the values of the run's targets, if it has any.

    What is a column of its own already is not repeated.

    Raises:
        LatentmapError: the targets are not those of the samples.
    """
    for path in results.paths(TARGETS):
        table = read_parquet(path)
        check_ids(path, table["id"].to_pylist(), shown.ids)
        known = {"label", "label_group", *shown.further}
        columns = {
            target.title: _told(table[target.name], target, shown)
            for target in read_facts(results.path(TARGET_FACTS))
            if target.name not in known and target.title not in known
        }
        return replace(shown, targets=columns)
    return shown


def _told(column: pa.ChunkedArray, target: TargetFacts, shown: ShownSamples) -> list[str | None]:
    values = [column[row].as_py() for row in shown.rows.tolist()]
    return [None if value is None else _text(value, target) for value in values]


def _text(value: Any, target: TargetFacts) -> str:
    return f"{value:.{DIGITS}g}" if is_number(target) else str(value)
