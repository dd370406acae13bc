"""What the methods of a run keep of every target, beside each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.metrics.contributions import Contributions
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.metric import Key
from latentmap.metrics.permutation import ROUNDING
from latentmap.metrics.simultaneous import LEVEL, GroupMeans, p_best, quantile
from latentmap.store.tables import read_parquet, write_parquet
from latentmap.targets.facts import TargetFacts, read_facts
from latentmap.targets.figures import FIGURES

Numbers = NDArray[np.float64]

SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in Key._fields),
        pa.field("baseline", pa.bool_(), nullable=False),
        *(pa.field(n, pa.string(), nullable=False) for n in ("target", "family", "kind", "metric")),
        *(pa.field(name, pa.float64()) for name in ("value", "chance", "low", "high", "p")),
        pa.field("p_adjusted", pa.float64()),
        pa.field("samples", pa.int64(), nullable=False),
        *(pa.field(name, pa.float64()) for name in ("kept", "kept_low", "kept_high")),
        pa.field("headline", pa.bool_(), nullable=False),
        *(pa.field(name, pa.int64()) for name in ("place_low", "place_high")),
        pa.field("may_be_best", pa.bool_()),
        pa.field("note", pa.string()),
    ]
)

Row = dict[str, Any]


def compare_targets(
    keys: Sequence[Sequence[str]],
    kept: Sequence[Path | str],
    draws: Sequence[Path | str],
    facts: Path | str,
    baselines: Collection[str],
    statistics: StatisticsOptions,
    output: Path | str,
) -> None:
    """Read what all methods keep, and write it as one table.

    Args:
        keys: (encoder, variant, method) of every embedding.
        kept: Parquet file of what each keeps, in the same order.
        draws: the same figures under permutation, and without parts of the source groups.
        facts: JSON file of what is known of the targets.
        baselines: encoders that know nothing of the data.
        statistics: how uncertainty is estimated.
        output: Parquet file of `SCHEMA`. `p_adjusted` is adjusted for all methods and targets
            (`adjusted`); `place_low` and `place_high` are the best and the worst place among the
            methods that a figure of a target may have (`places`), and `may_be_best` is whether it
            cannot be excluded as best (`simultaneous.p_best`).
    """
    of_target = {one.name: one for one in read_facts(facts)}
    rows: list[Row] = []
    for key, figures, drawn in zip(keys, kept, draws, strict=True):
        named = dict(zip(Key._fields, key, strict=True)) | {"baseline": key[0] in baselines}
        both = zip(read_parquet(figures).to_pylist(), read_parquet(drawn).to_pylist(), strict=True)
        rows += [named | _told(figure, of_target) | _lists(draw) for figure, draw in both]
    for family in _by(rows, "tested_with").values():
        _adjust(family)
    for one in _by(rows, "target", "metric").values():
        _rank(one, statistics)
    order = {name: place for place, name in enumerate(of_target)}
    rows.sort(key=lambda row: (order[row["target"]], list(FIGURES).index(row["metric"])))
    write_parquet(output, pa.Table.from_pylist(rows, SCHEMA))


def _told(figure: Row, facts: Mapping[str, TargetFacts]) -> Row:
    one, told = facts[figure["target"]], FIGURES[figure["metric"]]
    return figure | {
        "family": one.family,
        "kind": one.kind,
        "headline": told.stands_for(one.kind),
        "tested_with": told.family(one.kind),
    }


def _lists(draw: Row) -> Row:
    return {name: np.array(draw[name], np.float64) for name in ("draws", "without")}


def _by(rows: Sequence[Row], *names: str) -> dict[tuple[str, ...], list[Row]]:
    found = defaultdict(list)
    for row in rows:
        found[tuple(row[name] for name in names)].append(row)
    return dict(found)


def _adjust(rows: Sequence[Row]) -> None:
    """Adjust the p-values of figures for their number."""
    tested = [row for row in rows if row["p"] is not None]
    if not tested:
        return
    values = np.array([row["value"] for row in tested])
    # Where one figure has fewer permutations than another, they come again.
    count = max(len(row["draws"]) for row in tested)
    draws = np.stack([np.resize(row["draws"], count) for row in tested], axis=1)
    p_values = adjusted(values, draws)
    for row, p_value in zip(tested, p_values.tolist(), strict=True):
        row["p_adjusted"] = max(p_value, row["p"])


def adjusted(values: Numbers, draws: Numbers) -> Numbers:
    """Return p-values that are adjusted for the number of figures.

    Stepwise, by how far the largest of those that are left is above its chance level, in standard
    deviations over the permutations and the order found (max-T; Westfall and Young 1993,
    Resampling-based multiple testing, algorithm 2.8). Methods see the same permutations.

    Args:
        values: (m,) the figures.
        draws: (permutations, m) the figures in each permutation.
    """
    every = np.vstack([values, np.where(np.isnan(draws), values, draws)])
    scale = every.std(axis=0)
    varies = scale > ROUNDING
    apart = (every - every.mean(axis=0)) / np.where(varies, scale, 1)
    found, drawn = np.where(varies, apart[0], 0.0), np.where(varies, apart[1:], 0.0)
    order = np.argsort(found, kind="stable")
    largest = np.maximum.accumulate(drawn[:, order], axis=1)
    reached = (largest >= found[order] - ROUNDING).sum(axis=0)
    stepwise = np.maximum.accumulate(((1 + reached) / (1 + len(draws)))[::-1])[::-1]
    p_values = np.empty(len(values))
    p_values[order] = stepwise
    return p_values


def _rank(rows: Sequence[Row], statistics: StatisticsOptions) -> None:
    """Say which places among the methods one figure of a target may have."""
    ranked = [row for row in rows if row["value"] is not None and len(row["without"])]
    ranked = [row for row in ranked if np.isfinite(row["without"]).all()]
    if len(ranked) < len([row for row in rows if row["value"] is not None]) or not ranked:
        return
    parts = np.arange(len(ranked[0]["without"]))
    columns = [Contributions(row["value"], row["without"], parts).values for row in ranked]
    means = GroupMeans.of(np.stack(columns, axis=1), parts, statistics.resamples, statistics.seed)
    best, worst = places(means)
    p_values = p_best(means, range(len(ranked)))
    for row, *found, p_value in zip(ranked, best.tolist(), worst.tolist(), p_values, strict=True):
        row["place_low"], row["place_high"] = found
        row["may_be_best"] = bool(p_value > LEVEL)


def places(means: GroupMeans) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the best and the worst place that each column may have, (F,) each, from 1.

    In 95 % of samples all of them hold at once. A column is behind every column that is higher by
    more than the largest difference that chance makes between any two, in standard errors (Mogstad,
    Romano, Shaikh and Wilhelm 2024, Review of Economic Studies 91, 476).
    """
    count = len(means.values)
    everything = range(count)
    largest = np.zeros(means.count)
    for one in everything:
        drawn = means.tested_by_chance(one, everything)
        largest = np.maximum(largest, np.abs(drawn).max(axis=1))
    reach = quantile(largest, LEVEL)
    ahead = np.stack([means.tested(one, everything) for one in everything]) > reach
    return 1 + ahead.sum(axis=0), count - ahead.sum(axis=1)
