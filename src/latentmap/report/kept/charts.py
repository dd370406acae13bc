"""Charts of what is kept: one target over all embeddings, and one method over all targets."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from latentmap.report.experiments import format_p, format_value
from latentmap.report.kept.heatmap import VARIANTS
from latentmap.report.kept.predictions import Predicted
from latentmap.report.kept.table import Embedding, Figure, WhatIsKept
from latentmap.report.lazy import alt
from latentmap.report.matrix import label_axis, matrix
from latentmap.report.palette import CHANCE as CHANCE_COLOR
from latentmap.report.palette import GROUPED, NEUTRAL, line_colors
from latentmap.store.samples import evenly_spaced
from latentmap.targets.facts import TargetFacts

Row = dict[str, Any]

TARGET, METHOD, CALIBRATED = "target", "method", "calibrated"
"""Parameters of the charts: numbers of the target, and of the methods, that are shown."""

LABELS = ("label", "label_group")
"""Names of the targets that every run has whose samples are labelled."""

MOST_POINTS = 500
"""Of more samples, evenly spaced ones are points of a chart."""

DARKEST = "#388ec4"
"""Of all that can be known, in print: on it, as on all paler ones, black text can be read."""

BEST, LOWER, CHANCE = "may be best", "lower", "may be chance"
STEP = 15
WIDTH = 620
AXIS_TITLE = "kept (0 chance, 1 all)"


def ranking_chart(kept: WhatIsKept) -> alt.LayerChart | alt.FacetChart:
    """Return every embedding for one target, best first, with intervals and ties."""
    rows = [
        {
            "t": number,
            "embedding": kept.name(one),
            "stands": _stands(figure),
            "encoder": "baseline" if one.is_baseline else "model",
            **_told(figure),
        }
        for one in kept.embeddings
        for number, target in enumerate(kept.targets)
        if (figure := _defined(one, target))
    ]
    base = (
        alt.Chart(alt.InlineData(values=rows))
        .transform_filter(f"datum.t == {TARGET}")
        .encode(
            y=alt.Y(
                "embedding:N",
                sort=alt.EncodingSortField("kept", op="max", order="descending"),
                title=None,
            )
        )
    )
    stands = stands_color({BEST: GROUPED, LOWER: "#56B4E9", CHANCE: NEUTRAL})
    return alt.layer(
        _zero(),
        base.mark_rule(strokeWidth=2).encode(x=_extent(rows), x2="high:Q", color=stands),
        base.mark_point(filled=True, size=60, opacity=1).encode(
            x="kept:Q",
            color=stands,
            shape=role_shape(kept),
            tooltip=_tooltip(alt.Tooltip("embedding:N")),
        ),
        width=WIDTH,
        height=alt.Step(STEP),
        description="Dots with intervals: what every embedding keeps of one target.",
    ).add_params(
        selection(
            TARGET, "Target", {n: one.title for n, one in enumerate(kept.targets)}, _telling(kept)
        )
    )


def profile_chart(kept: WhatIsKept) -> alt.LayerChart | alt.FacetChart:
    """Return one pooling method over all targets, one dot for each encoder and variant."""
    places = list(dict.fromkeys(_place(one, kept) for one in kept.embeddings))
    rows = [
        {
            "m": kept.methods.index(one.methods),
            "target": target.title,
            "family": target.family,
            "encoder": _place(one, kept),
            **_told(figure),
        }
        for one in kept.embeddings
        for target in kept.targets
        if (figure := _defined(one, target))
    ]
    domain = [
        title
        for family, targets in kept.families.items()
        for title in (_heading(family), *(target.title for target in targets))
    ]
    headings = [_heading(family) for family in kept.families]
    axis = alt.Axis(
        grid=True,
        labelFontWeight=alt.condition(
            f"indexof({json.dumps(headings)}, datum.value) >= 0",
            alt.value("bold"),
            alt.value("normal"),
        ),
    )
    offset = alt.YOffset("encoder:N", scale=alt.Scale(domain=places))
    base = (
        alt.Chart(alt.InlineData(values=rows))
        .transform_filter(f"datum.m == {METHOD}")
        .encode(
            y=alt.Y("target:N", scale=alt.Scale(domain=domain), title=None, axis=axis),
            yOffset=offset,
            color=alt.Color(
                "encoder:N",
                title=None,
                scale=alt.Scale(domain=places, range=line_colors(len(places))),
                legend=alt.Legend(orient="top", columns=3, symbolType="circle"),
            ),
        )
    )
    return alt.layer(
        _zero(),
        base.mark_rule(strokeWidth=2).encode(x=_extent(rows), x2="high:Q"),
        base.mark_point(filled=True, size=60, opacity=1).encode(
            x="kept:Q",
            tooltip=_tooltip(
                *(alt.Tooltip(f"{name}:N") for name in ("encoder", "family", "target"))
            ),
        ),
        width=WIDTH,
        height=alt.Step(max(9, STEP // len(places) + 2)),
        description="Dots with intervals: what one pooling method keeps of every target.",
    ).add_params(selection(METHOD, "Method", dict(enumerate(kept.methods)), 0))


def calibration_chart(found: Sequence[Predicted]) -> alt.LayerChart | alt.FacetChart:
    """Return predicted against true values of one target that is a number."""
    rows, ends = [], []
    for one in found:
        chosen = evenly_spaced(len(one.true), MOST_POINTS)
        places = zip(one.true[chosen].tolist(), one.predicted[chosen].tolist(), strict=True)
        rows += [{"t": one.number, "true": true, "predicted": guess} for true, guess in places]
        low, high = float(one.true.min()), float(one.true.max())
        ends += [{"t": one.number, "true": end, "predicted": end} for end in (low, high)]
    shown = f"datum.t == {CALIBRATED}"
    few = alt.Axis(tickCount=6)
    x = alt.X("true:Q", title="true", scale=alt.Scale(zero=False), axis=few)
    y = alt.Y("predicted:Q", title="predicted", scale=alt.Scale(zero=False), axis=few)
    diagonal, points = (
        alt.Chart(alt.InlineData(values=values)).transform_filter(shown).encode(x=x, y=y)
        for values in (ends, rows)
    )
    first = max(found, key=lambda one: one.figure.kept)
    return alt.layer(
        diagonal.mark_line(color=CHANCE_COLOR, strokeDash=[4, 3]),
        points.mark_circle(color=GROUPED, opacity=0.5, size=28, strokeWidth=0).encode(
            tooltip=[alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("true", "predicted")]
        ),
        width=460,
        height=380,
        description="Scatter plot of predicted against true values of one target.",
    ).add_params(
        selection(
            CALIBRATED,
            "Target",
            {one.number: f"{one.target.title}{_in(one.target)}" for one in found},
            first.number,
        )
    )


def printed_heatmap(kept: WhatIsKept) -> alt.LayerChart | alt.FacetChart:
    """Return the heatmap as a chart: pages show a table, and figures for print this."""
    names = [kept.name(one) for one in kept.embeddings]
    rows = [
        {
            "embedding": kept.name(one),
            "target": target.title,
            "family": target.family,
            "kept": figure.kept,
            "shown": max(figure.kept, 0) if figure.is_above_chance else None,
            "low": figure.kept_interval and figure.kept_interval[0],
            "high": figure.kept_interval and figure.kept_interval[1],
            "p": figure.p_value,
        }
        for one in kept.embeddings
        for target in kept.targets
        if (figure := _defined(one, target))
    ]
    return matrix(
        rows,
        x=alt.X(
            "target:N",
            scale=alt.Scale(domain=[target.title for target in kept.targets]),
            title=None,
            axis=alt.Axis(orient="top", labelAngle=-40, domain=False, ticks=False),
        ),
        y=label_axis("embedding", names),
        color=alt.Color(
            "shown:Q",
            title="kept",
            scale=alt.Scale(domain=[0, 1], range=["#ffffff", DARKEST], interpolate="rgb"),
            legend=alt.Legend(format=".1f"),
        ),
        tooltip=[alt.Tooltip(f"{name}:N") for name in ("embedding", "target")],
        text=alt.Text("kept:Q", format=".2f"),
        light="false",
        cell=(34, 16),
        description="Matrix of embeddings and targets: how much of each target is kept.",
    )


def stands_color(colors: Mapping[str, str]) -> alt.Color:
    """Return the colour of dots by what is sure of them, with its legend."""
    return alt.Color(
        "stands:N",
        title=None,
        scale=alt.Scale(domain=[*colors], range=[*colors.values()]),
        legend=alt.Legend(orient="top", columns=3, symbolType="circle", symbolOpacity=1),
    )


def role_shape(kept: WhatIsKept) -> alt.Shape:
    """Return the shape of the dots of models and of baselines."""
    legend = alt.Legend(orient="top", columns=2, symbolFillColor=NEUTRAL, symbolStrokeWidth=0)
    return alt.Shape(
        "encoder:N",
        title=None,
        scale=alt.Scale(domain=["model", "baseline"], range=["circle", "diamond"]),
        legend=legend if kept.baselines else None,
    )


def _heading(family: str) -> str:
    """Return what stands above the targets of a family."""
    return f"{family}:"


def _defined(one: Embedding, target: TargetFacts) -> Figure | None:
    figure = one.figures.get(target.name)
    return None if figure is None or math.isnan(figure.kept) else figure


def _stands(figure: Figure) -> str:
    if not figure.is_above_chance:
        return CHANCE
    return BEST if figure.may_be_best else LOWER


def _told(figure: Figure) -> Row:
    """Return what a row says of one figure."""
    low, high = figure.kept_interval or (None, None)
    interval = figure.interval and " to ".join(map(format_value, figure.interval))
    return {
        "kept": figure.kept,
        "low": low,
        "high": high,
        "metric": figure.metric,
        "value": format_value(figure.value) + (f" ({interval})" if interval else ""),
        "chance": format_value(figure.chance),
        "p": format_p(figure.p_value),
        "samples": figure.samples,
    }


def _tooltip(*first: alt.Tooltip) -> list[alt.Tooltip]:
    numbers = (alt.Tooltip(f"{name}:Q", format=".2f") for name in ("kept", "low", "high"))
    texts = (alt.Tooltip(f"{name}:N") for name in ("metric", "value", "chance"))
    p_value = alt.Tooltip("p:N", title="adjusted p")
    return [*first, *numbers, *texts, p_value, alt.Tooltip("samples:Q", format=",")]


def _extent(rows: Sequence[Row]) -> alt.X:
    """Return the axis of what is kept, and where an interval begins on it."""
    ends = [end for row in rows for end in (row["kept"], row["low"]) if end is not None]
    low = max(min([0.0, *ends]) - 0.02, -0.5)
    scale = alt.Scale(domain=[low, 1], nice=False, clamp=True)
    return alt.X("low:Q", title=AXIS_TITLE, scale=scale, axis=alt.Axis(tickCount=5, format=".1f"))


def _zero() -> alt.Chart:
    """Return the line of chance."""
    line = alt.Chart(alt.InlineData(values=[{"kept": 0}]))
    return line.mark_rule(color=CHANCE_COLOR, strokeDash=[4, 3]).encode(x="kept:Q")


def _place(one: Embedding, kept: WhatIsKept) -> str:
    """Return what an encoder and variant are called where methods are the same."""
    if len(kept.variants) < 2 or "," in one.variants:
        return one.encoder
    return f"{one.encoder}, {VARIANTS.get(one.variants, one.variants)}"


def _telling(kept: WhatIsKept) -> int:
    """Return the number of the target of which embeddings of models keep most unequal shares."""

    def spread(target: TargetFacts) -> float:
        found = (_defined(one, target) for one in kept.subjects)
        shares = [max(figure.kept, 0) for figure in found if figure]
        return max(shares) - min(shares) if shares else 0.0

    # What a run was labelled by is seldom the question.
    asked = [n for n, target in enumerate(kept.targets) if target.name not in LABELS]
    return max(asked or [0], key=lambda number: spread(kept.targets[number]))


def selection(name: str, label: str, titles: Mapping[int, str], first: int) -> alt.Parameter:
    """Return a parameter that the reader sets to the number of a title."""
    if len(titles) < 2:
        return alt.param(name=name, value=first)
    bind = alt.binding_select(options=list(titles), labels=list(titles.values()), name=f"{label} ")
    return alt.param(name=name, value=first, bind=bind)


def _in(target: TargetFacts) -> str:
    return f" ({target.unit})" if target.unit else ""
