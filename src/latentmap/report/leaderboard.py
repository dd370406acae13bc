"""The leaderboard: every embedding against every metric, best first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from latentmap.metrics.metric import known_metrics, title_of
from latentmap.report.cells import TonedCell
from latentmap.report.experiments import (
    Experiment,
    Key,
    distinct,
    format_chance,
    format_p,
    format_value,
    headline,
    is_ranked,
    say_p,
    times_chance,
    twins,
)
from latentmap.report.findings import SIGNIFICANT
from latentmap.report.metric_rows import defined_metrics
from latentmap.report.standings import BEST, LOWER, MAY_BE_BEST, STANDING_COLUMNS, Standings

LEADING = (
    *("knn_category_acc_macro_grouped", "r_precision_grouped", "knn_group_acc_grouped"),
    *("probe_knn_balanced_acc", "probe_linear_balanced_acc", "silhouette"),
    *("effective_dim_90", "n_dimensions", "n_tokens"),
)
"""Metrics beside the one that ranks which the leaderboard shows before it is asked for more."""

TONES = 8
"""Steps of a cell's colour, of which 0 has none."""


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: its heading.
        meaning: what it says.
        leading: whether it is shown before it is asked for.
    """

    name: str
    meaning: str
    leading: bool


@dataclass(frozen=True)
class Cell(TonedCell):
    """One cell; its tone is at most `TONES`.

    Attributes:
        leading: whether its column is.
    """

    leading: bool = True


@dataclass(frozen=True)
class Row:
    """One embedding.

    Attributes:
        key: which.
        page: that it leads to, if it has one.
        cells: one for each column.
    """

    key: Key
    page: Path | None
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Leaderboard:
    """A table of embeddings and metrics.

    Attributes:
        columns: of metrics that are defined for any embedding; none if nothing was measured.
        rows: best first.
        undefined: names of the others, by the reason why.
    """

    columns: Sequence[Column]
    rows: Sequence[Row]
    undefined: Mapping[str, Sequence[str]]


def leaderboard(
    experiments: Sequence[Experiment], standings: Standings, pages: Mapping[tuple[str, ...], Path]
) -> Leaderboard:
    """Return the table.

    Args:
        experiments: best first; at least one.
        standings: what is sure of their order.
        pages: of embeddings that have one.
    """
    names, undefined = defined_metrics(experiments)
    if not names:
        return Leaderboard([], [], undefined)
    leading = set(distinct((*twins(headline(experiments)), *LEADING), experiments))
    tones = {name: _tones(name, experiments) for name in names}
    ranks = is_ranked(experiments)
    shown = STANDING_COLUMNS if ranks else {}
    first, *others = [Column(title_of(name), _meaning(name), name in leading) for name in names]
    sure = [Column(name, f"{text}; {first.name}", True) for name, text in shown.items()]
    rows = [
        Row(
            one.key,
            pages.get(one.key),
            [
                _cell(one, names[0], tones[names[0]][place], True),
                *(_standing(standings, one.key) if ranks else ()),
                *(_cell(one, name, tones[name][place], name in leading) for name in names[1:]),
            ],
        )
        for place, one in enumerate(experiments)
    ]
    return Leaderboard([first, *sure, *others], rows, undefined)


def _meaning(name: str) -> str:
    metric = known_metrics().get(name)
    if metric is None:
        return name
    better = metric.better and f"{metric.better} is better"
    return "; ".join(filter(None, (name, metric.meaning, better)))


def _tones(name: str, experiments: Sequence[Experiment]) -> list[int]:
    """Return how dark each cell of a metric is: of the best by most, at chance or worst not."""
    metric = known_metrics().get(name)
    values = [one.value(name) for one in experiments]
    defined = [value for value in values if not math.isnan(value)]
    if metric is None or metric.better is None or not defined:
        return [0] * len(values)
    sign = 1 if metric.better == "higher" else -1
    worst, best = min(sign * value for value in defined), max(sign * value for value in defined)
    chances = [one[name].chance for one in experiments]
    floors = [worst if chance is None else sign * chance for chance in chances]
    reach = max((best - floor for floor in floors), default=0)
    return [
        0
        if math.isnan(value) or reach <= 0
        else round(TONES * max(0, sign * value - floor) / reach)
        for value, floor in zip(values, floors, strict=True)
    ]


def _standing(standings: Standings, key: Key) -> Iterator[Cell]:
    standing = standings.of(key)
    p_value = standing.p_adjusted
    order = {BEST: 0, MAY_BE_BEST: 1, LOWER: 2}.get(standing.against_best, "")
    yield Cell(format_p(p_value), "" if p_value is None else repr(p_value))
    yield Cell(standing.against_best, str(order))


def _cell(experiment: Experiment, name: str, tone: int, leading: bool) -> Cell:
    found = experiment[name]
    details = []
    if found.chance is not None:
        details.append(f"chance {format_chance(found)}")
    for times, level in zip(
        times_chance(experiment, name), ("chance", "uniform chance"), strict=True
    ):
        if not math.isnan(times):
            details.append(f"{format_value(times)} times {level}")
    if found.effect is not None:
        details.append(f"effect {format_value(found.effect)}")
    if found.interval is not None:
        details.append(f"95 % interval {' to '.join(map(format_value, found.interval))}")
    if found.p_value is not None:
        details.append(say_p(found.p_value))
    if found.note:
        details.append(found.note)
    faint = found.p_value is not None and found.p_value > SIGNIFICANT
    return Cell(
        format_value(found.value),
        "" if math.isnan(found.value) else f"{found.value:.6g}",
        "; ".join(details),
        0 if faint else tone,
        faint,
        leading,
    )
