"""Targets as columns: their values, and the residuals of linear probes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from latentmap.explorer.columns import category, number
from latentmap.explorer.sample_columns import LABEL, LABEL_GROUP
from latentmap.explorer.work import Work
from latentmap.report.kept.predictions import RESIDUALS, residuals
from latentmap.report.kept.table import is_number
from latentmap.store.results import TARGET_FACTS, TARGETS, Key
from latentmap.store.tables import check_ids, read_parquet
from latentmap.targets.facts import read_facts

READS = RESIDUALS
"""The files that they are made of."""

RESIDUAL = (
    "True value less what a linear probe of the embedding predicts that has not seen the sample's "
    "source group."
)


def add_targets(work: Work) -> None:
    """Add the targets of the run, if it has any, but those that are columns already.

    Raises:
        LatentmapError: the targets are not those of the samples.
    """
    for path in work.results.paths(TARGETS):
        table = read_parquet(path)
        check_ids(path, table["id"].to_pylist(), work.everyone.ids)
        known = {LABEL, LABEL_GROUP, *(entry["title"] for entry in work.columns.entries)}
        for target in read_facts(work.results.path(TARGET_FACTS)):
            if not known & {target.name, target.title}:
                values = table[target.name]
                column = (
                    number(np.array(values.to_pylist(), np.float64), target.unit or None)
                    if is_number(target)
                    else category(values)
                )
                work.columns.add(f"target::{target.name}", column, target.title)


def add_residuals(work: Work, key: Key, method: str) -> Iterator[tuple[str, str]]:
    """Add the residuals of an embedding's probe, for every target that it keeps.

    Yields:
        The name of the column among those of methods, and its id.
    """
    for target, values in residuals(work.results, key, work.everyone.ids):
        name = f"residual {target.name}"
        yield (
            name,
            work.columns.add(
                f"{name}::{method}",
                number(values, target.unit or None),
                f"residual of {target.title}",
                RESIDUAL,
                about="method",
                of=method,
            ),
        )
