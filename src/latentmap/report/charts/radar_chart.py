"""Profiles of the best methods over several metrics, as a radar and as parallel lines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from textwrap import fill
from typing import Any

from latentmap.metrics.metric import GROUPED, known_metrics, title_of, with_others
from latentmap.report.chart import Chart, Comparison
from latentmap.report.experiments import distinct
from latentmap.report.lazy import alt
from latentmap.report.palette import LINES

COUNTS = {"effective_dim_90": "compression", "n_tokens": "efficiency"}
"""Axes on which fewer are better: principal axes for 90 % of the variance, and tokens."""
AXES = {
    "knn_category_acc_grouped": "same label",
    "knn_group_acc_grouped": "same group",
    "probe_knn_balanced_acc": "k-NN probe",
    "probe_linear_balanced_acc": "linear probe",
    "r_precision_grouped": "R-precision",
    "silhouette": "silhouette",
    "distance_ratio": "distance ratio",
    "f_ratio": "F-ratio",
    "davies_bouldin": "Davies-Bouldin",
    "calinski_harabasz": "Calinski-Harabasz",
    "hubness_skewness": "hubness",
    **COUNTS,
}
"""Short names of metrics; axes of further ones have their titles."""

RINGS, NAMES = (0.25, 0.5, 0.75, 1.0), 1.18
"""Where the rings of the radar and the names of its axes are."""
LINE = 12
"""Letters of a name in one line, around a radar: on a phone there is room for few."""
DASHED = "#666666"

Row = dict[str, Any]


class RadarChart(Chart):
    """The best methods on one radar, above all methods as lines over parallel axes."""

    title = "Profiles of the best methods"
    look_for = (
        "Each axis runs from the worst (0) to the best (1) method and is oriented so that 1 is "
        "better; for compression and efficiency these are fewer effective dimensions and fewer "
        "tokens, by their logarithms. Look for methods that are good at everything, or at one "
        "metric only; a click in the legend picks one. The area of a radar depends on the order "
        "of its axes: compare shapes there, and values on the parallel lines."
    )
    rivals = "any"

    def build(self, data: Comparison) -> alt.TopLevelMixin | None:
        """Return a radar above parallel axes; none with fewer than three usable metrics."""
        named = dict(data.named)
        scaled = {
            metric: values
            for metric in distinct(map(_across, with_others(AXES)), list(named.values()))
            if (values := normalised({name: e.value(metric) for name, e in named.items()}, metric))
        }
        own = [e.key.method for e in data.experiments]
        complete = [name for name in named if all(name in values for values in scaled.values())]
        best = [name for name in complete if name in own][: len(LINES)]
        if len(scaled) < 3 or not best:
            return None
        shown = [*best, *[name for name in complete if name not in own][:1]]

        def at(order: int, distance: float) -> Row:
            """Return where an axis is at some distance from the middle."""
            angle = 2 * math.pi * order / len(scaled)
            return {
                "order": order,
                "x": distance * math.sin(angle),
                "y": distance * math.cos(angle),
            }

        # The last row of an outline is the first again.
        rows = [
            {"method": name, "metric": metric, "axis": AXES.get(metric) or title_of(metric)}
            | {
                "value": named[name].value(metric),
                "scaled": values[name],
                **at(order, values[name]),
            }
            for name in dict.fromkeys([*own, *shown])
            for order, (metric, values) in enumerate([*scaled.items(), next(iter(scaled.items()))])
            if name in values
        ]
        axes = [row["axis"] for row in rows if row["method"] == best[0]][:-1]
        rings = [
            {"ring": ring} | at(order, ring) for ring in RINGS for order in range(len(axes) + 1)
        ]
        names = [
            {"text": fill(axis, LINE, break_long_words=False)} | at(order, NAMES)
            for order, axis in enumerate(axes)
        ]
        picked = alt.selection_point(name="picked", fields=["method"], bind="legend")
        dashes = [[1, 0]] * len(best) + [[5, 3]]
        lines = (
            _placed([row for row in rows if row["method"] in shown])
            .mark_line(strokeWidth=2.2, point=alt.OverlayMarkDef(size=40))
            .encode(
                color=alt.Color(
                    "method:N",
                    legend=alt.Legend(
                        orient="top",
                        title=None,
                        columns=4,
                        labelLimit=220,
                        symbolType="stroke",
                        symbolStrokeWidth=3,
                    ),
                ).scale(domain=shown, range=[*LINES[: len(best)], DASHED]),
                strokeDash=alt.StrokeDash("method:N").scale(domain=shown, range=dashes),
                opacity=alt.when(picked).then(alt.value(1)).otherwise(alt.value(0.1)),
                tooltip=["method:N", "metric:N", alt.Tooltip("value:Q", format=".4~g")],
            )
        )
        # Of two names at the bottom only one can be centered.
        side = "datum.x > -0.3 && datum.x < 0.12 ? 'center' : datum.x > 0 ? 'left' : 'right'"
        radar = alt.layer(
            _placed(rings).mark_line(style="guide", strokeWidth=1).encode(detail="ring:N"),
            _placed(rings[-len(axes) :])
            .mark_rule(style="guide")
            .encode(x2=alt.datum(0), y2=alt.datum(0)),
            _placed(names)
            .mark_text(
                align=alt.ExprRef(side),
                lineBreak="\n",
                fontSize=11,
                baseline="middle",
                style="aside",
            )
            .encode(text="text:N"),
            lines,
            view=alt.ViewBackground(strokeOpacity=0),
        )
        others = [row for row in rows if row["method"] not in shown]
        behind = _placed(others).mark_line(style="guide").encode(detail="method:N")
        parallel = (
            chart.transform_filter(f"datum.order < {len(axes)}").encode(
                x=alt.X("scaled:Q", title="worst (0) to best (1) method"),
                y=alt.Y("axis:N", sort=None, title=None, axis=alt.Axis(grid=True)),
            )
            for chart in (
                *([behind] if others else []),
                lines,
            )  # Vega warns of a layer without rows
        )
        return alt.concat(
            radar.properties(width=400, height=400).add_params(picked),
            alt.layer(*parallel, width=880, height=alt.Step(28)),
            columns=1,
            spacing=30,
            center=True,  # else the radar begins where the names of the parallel axes end
            description=f"Profiles of {len(best)} methods over {len(axes)} metrics, each scaled "
            "from the worst to the best method: as a radar, and on parallel axes.",
        )


def _across(metric: str) -> str:
    """Return a metric's twin without neighbors of the same source group, if it has one."""
    return metric + GROUPED if metric + GROUPED in known_metrics() else metric


def normalised(values: Mapping[str, float], metric: str) -> dict[str, float]:
    """Return values scaled from the worst (0) to the best (1); none if they do not differ.

    Undefined values are left out.
    """
    scale = math.log if metric in COUNTS else float
    defined = {name: scale(value) for name, value in values.items() if not math.isnan(value)}
    low, high = min(defined.values(), default=0), max(defined.values(), default=0)
    if low == high:
        return {}
    known = known_metrics().get(metric)
    falls = metric in COUNTS or (known is not None and known.better == "lower")
    worst, best = (high, low) if falls else (low, high)
    return {name: (value - worst) / (best - worst) for name, value in defined.items()}


def _placed(rows: list[Row]) -> alt.Chart:
    """Return a chart of the plane of the radar; lines in it go from axis to axis."""
    scale = alt.Scale(domain=[-1.2, 1.2], nice=False)
    x, y = alt.X("x:Q", axis=None, scale=scale), alt.Y("y:Q", axis=None, scale=scale)
    return alt.Chart(alt.InlineData(values=rows)).encode(x=x, y=y, order="order:Q")
