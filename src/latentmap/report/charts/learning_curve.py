"""What more data does: the best methods on growing sets of source groups."""

from __future__ import annotations

from typing import Any

from latentmap.metrics.metric import title_of
from latentmap.report.chart import Chart, Comparison
from latentmap.report.experiments import Key
from latentmap.report.lazy import alt
from latentmap.report.palette import CHANCE, LINES, NEUTRAL

WIDTH, HEIGHT = 330, 260
# A curve with fewer says nothing of more data.
FEWEST_POINTS = 2

Row = dict[str, Any]


class LearningCurve(Chart):
    """The best method of every encoder and variant, measured on parts of the source groups."""

    title = "Learning curves"
    look_for = (
        "Where a line still rises on the right, more source groups would raise the metric; where "
        "it is flat, more data only narrows the intervals. Lines are means, dots are single random "
        "subsets of source groups; the right end has all of them. Orange is chance."
    )
    scope = "summary"

    def build(self, data: Comparison) -> alt.TopLevelMixin | None:
        """Return one panel for each metric; none where no method was measured on parts."""
        rows = _rows(data)
        if not rows:
            return None
        names = list(dict.fromkeys(row["name"] for row in rows))
        colors = [*LINES, *[NEUTRAL] * len(names)][: len(names)]
        color = alt.Color(
            "name:N",
            title=None,
            scale=alt.Scale(domain=names, range=colors),
            legend=alt.Legend(orient="top", columns=2, labelLimit=320),
        )
        metrics = list(dict.fromkeys(row["metric"] for row in rows))
        return alt.concat(
            *(_panel([r for r in rows if r["metric"] == m], m, color) for m in metrics),
            columns=2,
            spacing=30,
            description=(
                f"{' and '.join(map(title_of, metrics))} of the best method of each encoder and "
                "variant over the number of source groups."
            ),
        )


def _rows(data: Comparison) -> list[Row]:
    found = {e.key: e for e in data.experiments}
    return [
        {
            "name": Key(encoder, variant, learning.method).name,
            "metric": metric,
            "source_groups": point.source_groups,
            "samples": point.samples,
            "mean": point.mean,
            "value": value,
            "chance": found[Key(encoder, variant, learning.method)][metric].chance,
        }
        for (encoder, variant), learning in data.learning.items()
        for metric, points in learning.curves.items()
        if len(points) >= FEWEST_POINTS
        for point in points
        for value in point.values
    ]


def _panel(rows: list[Row], metric: str, color: alt.Color) -> alt.LayerChart | alt.FacetChart:
    numbers = ("source_groups", "samples", "mean", "value", "chance")
    axis = alt.Axis(grid=False, format=".3~s", tickCount=5)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X(
            "source_groups:Q",
            title="source groups",
            scale=alt.Scale(type="log", nice=False),
            axis=axis,
        ),
        color=color,
        tooltip=[
            alt.Tooltip("name:N"),
            *(alt.Tooltip(f"{name}:Q", format=".3~g") for name in numbers),
        ],
    )
    layers = [
        base.mark_line(strokeWidth=2).encode(y=alt.Y("mean:Q", title=title_of(metric))),
        base.mark_circle(size=22, opacity=0.6, strokeWidth=0).encode(y="value:Q"),
    ]
    if any(row["chance"] is not None for row in rows):
        chance = [row for row in rows if row["chance"] is not None]
        layers.append(
            alt.Chart(alt.InlineData(values=chance[:1]))
            .mark_rule(color=CHANCE, strokeWidth=1.5)
            .encode(y="chance:Q")
        )
    return alt.layer(*layers, width=WIDTH, height=HEIGHT)
