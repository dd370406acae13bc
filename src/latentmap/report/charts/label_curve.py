"""kNN label purity over how many neighbors are looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from latentmap.report.bars import measured
from latentmap.report.chart import Chart, Comparison
from latentmap.report.experiments import of_labels
from latentmap.report.lazy import alt
from latentmap.report.palette import CHANCE, CHANCE_RANGE, LINES, NEUTRAL

WIDTH, HEIGHT = 720, 340
# One of them is that of chance.
COLORS = [color for color in LINES if color != CHANCE]

Row = dict[str, Any]


class LabelCurve(Chart):
    """One line for each method over k, the best in colour, above the chance level."""

    title = "kNN label purity over k"
    look_for = (
        "Where lines cross, the best method depends on k, the number of neighbors. A line falls "
        "where k exceeds the number of samples of a label; one that starts high and falls keeps "
        "small groups of a label together. Orange: chance, with the 95 % range of permuted labels "
        "for the first method. Dashed: the best method of each baseline. Thin grey: all other "
        "methods."
    )

    def build(self, data: Comparison) -> alt.TopLevelMixin | None:
        """Return lines over a logarithmic axis of k; none without a curve."""
        metric = of_labels(data.experiments)
        curves = {name: e for name, e in data.named if e[metric].by_k}
        own = [e.key.method for e in data.experiments if e.key.method in curves]
        if not own:
            return None
        best, others = own[: len(COLORS)], own[len(COLORS) :]
        baselines = [name for name in curves if name not in own]
        rows = {
            name: [
                {"method": name, "k": k, **measured(point)} for k, point in e[metric].by_k.items()
            ]
            for name, e in curves.items()
        }
        color = alt.Color(
            "method:N",
            title=None,
            scale=alt.Scale(
                domain=[*best, *baselines],
                range=[*COLORS[: len(best)], *[NEUTRAL] * len(baselines)],
            ),
            legend=alt.Legend(
                orient="bottom",
                columns=4,
                labelLimit=220,
                symbolType="stroke",
                symbolStrokeWidth=3,
            ),
        )
        layers = [
            *_chance(rows[own[0]]),
            *([_lines(rows, others, style="guide", strokeWidth=1)] if others else []),
            *(
                [_lines(rows, baselines, strokeWidth=1.5, strokeDash=[5, 3]).encode(color=color)]
                if baselines
                else []
            ),
            _lines(rows, best, strokeWidth=2.2, point=alt.OverlayMarkDef(size=30)).encode(
                color=color
            ),
        ]
        return alt.layer(
            *layers,
            width=WIDTH,
            height=HEIGHT,
            description=f"{metric} of each method for several numbers of neighbors.",
        )


def _lines(rows: Mapping[str, list[Row]], names: Sequence[str], **mark: Any) -> alt.Chart:
    numbers = ("value", "low", "high", "chance")
    return (
        alt.Chart(alt.InlineData(values=[row for name in names for row in rows[name]]))
        .mark_line(**mark)
        .encode(
            x=_k(),
            y=alt.Y("value:Q", title="kNN label purity", scale=alt.Scale(zero=True)),
            detail="method:N",
            tooltip=[
                alt.Tooltip("method:N"),
                alt.Tooltip("k:Q"),
                *(alt.Tooltip(f"{name}:Q", format=".3f") for name in numbers),
            ],
        )
    )


def _chance(rows: list[Row]) -> list[alt.Chart]:
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=_k())
    band = base.mark_area(color=CHANCE_RANGE, opacity=0.5).encode(
        y=alt.Y("chance_low:Q", title="kNN label purity"), y2="chance_high:Q"
    )
    return [band, base.mark_line(color=CHANCE, strokeWidth=1.5).encode(y="chance:Q")]


def _k() -> alt.X:
    axis = alt.Axis(grid=False, format="d")
    return alt.X("k:Q", title="nearest neighbors, k", scale=alt.Scale(type="log"), axis=axis)
