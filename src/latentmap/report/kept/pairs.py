"""Whether a change between paired samples is a direction of an embedding, as pages show it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from latentmap.metrics.metric import Key
from latentmap.report.experiments import format_p, number_of
from latentmap.report.findings import SIGNIFICANT, Finding
from latentmap.report.kept.charts import role_shape, selection, stands_color
from latentmap.report.kept.findings import Words, family_findings
from latentmap.report.kept.heatmap import two_places
from latentmap.report.kept.table import Figure, WhatIsKept, key_of, range_of, table_of
from latentmap.report.lazy import alt
from latentmap.report.palette import CHANCE, GROUPED, NEUTRAL
from latentmap.store.results import PAIRS, Results
from latentmap.store.tables import read_parquet
from latentmap.targets.facts import TargetFacts

Row = Mapping[str, Any]

WORDS = Words(
    kept="a direction in",
    mostly="a direction for the most part in",
    partly="a direction in part in",
    lost="none in",
    unknown="not significantly above chance in",
    best="in the best baseline, {}, {}",
    no_baseline="in no baseline",
)
"""How sentences speak of directions."""

TITLE = "Directions of change"
ANSWER = "Where a change moves an embedding the same way each time, from 0 (any way) to 1"

CHANGE = "change"
"""Parameter of the chart: number of the change that is shown."""


def read_pairs(results: Results) -> list[Row]:
    """Read what is known of the changes between paired samples; nothing if there are none."""
    return [row for path in results.paths(PAIRS) for row in read_parquet(path).to_pylist()]


def directions(rows: Sequence[Row]) -> WhatIsKept:
    """Return in which embeddings which change is a direction."""
    changes = {row["change"]: row for row in rows}
    figures: dict[Key, dict[str, Figure]] = {}
    for row in rows:
        figures.setdefault(key_of(row), {})[row["change"]] = _figure(row)
    baselines = {key_of(row) for row in rows if row["baseline"]}
    return table_of([_told(row) for row in changes.values()], figures, baselines)


def sentences(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """Yield each change, in which embeddings it is a direction, and how large it is there."""
    found = directions(rows)
    names = {key: found.name(one) for one in found.embeddings for key in one.keys}
    subjects = {key for one in found.subjects for key in one.keys}
    for change, text in family_findings(found, WORDS):
        sizes = [
            (row["size"], names[key_of(row)], _beside(row))
            for row in rows
            if _title(row) == change and key_of(row) in subjects and row["size"] is not None
            if row["beside"] != row["change"]
        ]
        if sizes:
            (low, *_), (high, name, beside) = min(sizes), max(sizes)
            text = (
                f"{text.removesuffix('.')}; {two_places(low)} to {two_places(high)} times as large "
                f"as that of {beside}, most in {name}."
            )
        yield change, text


def direction_findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Say of every change in which embeddings it is a direction."""
    for change, text in sentences(rows):
        yield Finding(f"Between samples that differ in {change} alone, the change is {text}")


def _told(row: Row) -> TargetFacts:
    title = _title(row)
    return TargetFacts(row["change"], title, "continuous", title, row["change"], row["pairs"])


def _beside(row: Row) -> str:
    """Return what a change's size is held beside, as people write it."""
    return str(row["beside"]).replace("_", " ")


def _title(row: Row) -> str:
    ends = f" ({row['before']} → {row['after']})" if row["before"] and row["after"] else ""
    return f"{row['change'].replace('_', ' ')}{ends}"


def _figure(row: Row) -> Figure:
    interval = range_of(row["low"], row["high"])
    size = number_of(row["size"])
    ends = range_of(row["size_low"], row["size_high"])
    between = f" ({two_places(ends[0])} to {two_places(ends[1])})" if ends else ""
    large = f"{two_places(size)}{between} times as large as that of {_beside(row)}"
    is_itself = row["beside"] == row["change"]
    direction = number_of(row["direction"])
    return Figure(
        metric="mean cosine of two differences",
        value=direction,
        chance=number_of(row["chance"]),
        interval=interval,
        p_value=row["p_adjusted"],
        samples=row["pairs"],
        kept=direction,
        kept_interval=interval,
        note="too few groups of pairs" if math.isnan(direction) else "" if is_itself else large,
    )


def pairs_chart(rows: Sequence[Row], found: WhatIsKept) -> alt.LayerChart | alt.FacetChart:
    """Return how large a change is in every embedding, and how far it is a direction."""
    numbers = {target.name: number for number, target in enumerate(found.targets)}
    of_key = {one.keys[0]: one for one in found.embeddings}
    shown = [
        {
            "t": numbers[row["change"]],
            "embedding": found.name(of_key[key_of(row)]),
            "stands": _stands(row),
            "encoder": "baseline" if row["baseline"] else "model",
            "p": format_p(row["p_adjusted"]),
            "label": found.name(of_key[key_of(row)]) if _stands(row) == ABOVE else None,
            **{name: row[name] for name in NUMBERS},
        }
        for row in rows
        if key_of(row) in of_key and row["direction"] is not None and row["size"] is not None
    ]
    few = alt.Axis(tickCount=6)
    base = (
        alt.Chart(alt.InlineData(values=shown))
        .transform_filter(f"datum.t == {CHANGE}")
        .encode(
            x=alt.X("size:Q", title=f"size, in parts of {rows[0]['beside']}", axis=few),
            y=alt.Y("direction:Q", title="mean cosine of two differences", axis=few),
        )
    )
    points = base.mark_point(filled=True, size=70, opacity=0.9).encode(
        color=stands_color({ABOVE: GROUPED, MAY_BE_CHANCE: NEUTRAL}),
        shape=role_shape(found),
        tooltip=[
            alt.Tooltip("embedding:N"),
            *(alt.Tooltip(f"{name}:Q", format=".2f") for name in NUMBERS),
            alt.Tooltip("p:N", title="adjusted p"),
        ],
    )
    names = base.transform_filter("datum.label").mark_text(
        fontSize=11, style="placed", align="left", dx=7, dy=-7
    )
    zero = alt.Chart(alt.InlineData(values=[{"direction": 0}]))
    return alt.layer(
        zero.mark_rule(color=CHANCE, strokeDash=[4, 3], style="avoided").encode(y="direction:Q"),
        points,
        names.encode(text="label:N"),
        width=620,
        height=380,
        description="Scatter plot of how large a change is, and how far it is a direction.",
    ).add_params(
        selection(CHANGE, "Change", {numbers[one.name]: one.title for one in found.targets}, 0)
    )


ABOVE, MAY_BE_CHANCE = "a direction", "may be chance"
NUMBERS = ("direction", "low", "high", "size", "size_low", "size_high")


def _stands(row: Row) -> str:
    p_value = row["p_adjusted"]
    return ABOVE if p_value is not None and p_value <= SIGNIFICANT else MAY_BE_CHANCE
