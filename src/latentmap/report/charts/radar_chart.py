"""Profiles of the best methods over several metrics, as radars and as parallel lines."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from latentmap.metrics.metric import GROUPED, known_metrics, title_of, with_others
from latentmap.report.chart import Chart, Comparison
from latentmap.report.experiments import Experiment, distinct
from latentmap.report.palette import LINES

if TYPE_CHECKING:
    import altair as alt

AXES = {
    "knn_category_acc_grouped": "same label",
    "knn_group_acc_grouped": "same group",
    "probe_knn_balanced_acc": "k-NN probe",
    "probe_linear_balanced_acc": "linear probe",
    "silhouette": "silhouette",
    "distance_ratio": "distance ratio",
    "f_ratio": "F-ratio",
    "davies_bouldin": "Davies-Bouldin",
    "calinski_harabasz": "Calinski-Harabasz",
}
"""Metrics of a profile that its axes give short names; further ones have their titles."""

FEWEST_AXES = 3
REACH = 1.45
RADAR = 235
RINGS = (0.25, 0.5, 0.75, 1.0)
DASHED = "#666666"
SIDES: tuple[tuple[Literal["left", "center", "right"], Callable[[float], bool]], ...] = (
    ("center", lambda side: abs(side) < 0.1),
    ("left", lambda side: side >= 0.1),
    ("right", lambda side: side <= -0.1),
)
"""How labels beside a radar are aligned, by how far right of its middle they are."""

ROLES = ("one of the best", "other method", "baseline")

Row = dict[str, Any]


class RadarChart(Chart):
    """The best methods, one radar each, above all methods as lines over parallel axes."""

    title: ClassVar[str] = "Profiles of the best methods"
    look_for: ClassVar[str] = (
        "Each axis runs from the worst (0) to the best (1) method shown and is oriented so that 1 "
        "is better. Look for methods that are good at everything, or at one metric only. The area "
        "of a radar depends on the order of its axes: compare shapes here, and values on the "
        "parallel lines. Dashed grey: the best baseline."
    )

    def build(self, data: Comparison) -> alt.TopLevelMixin | None:
        """Return radars above parallel coordinates; none with fewer than three usable metrics."""
        import altair as alt

        named = dict(data.named)
        scaled = {
            metric: values
            for metric in distinct(map(_across, with_others(AXES)), list(named.values()))
            if (values := normalised({name: e.value(metric) for name, e in named.items()}, metric))
        }
        methods = [e.key.method for e in data.experiments]
        complete = [name for name in named if all(name in values for values in scaled.values())]
        best = [name for name in complete if name in methods][: len(LINES)]
        if len(scaled) < FEWEST_AXES or not best:
            return None
        baselines = [name for name in complete if name not in methods]
        rows = _rows(named, scaled, best, methods)
        radars = [
            _radar(name, color, rows, list(scaled), baselines[:1])
            for name, color in zip(best, LINES, strict=False)
        ]
        return alt.vconcat(
            alt.concat(*radars, columns=3, spacing=10),
            _parallel(rows, list(scaled), best, baselines[:1]),
            spacing=30,
            description=(
                f"Profiles of {len(best)} methods over {len(scaled)} metrics, each scaled from "
                "the worst to the best method: radars, and the same values on parallel axes."
            ),
        ).resolve_scale(color="independent")


def _across(metric: str) -> str:
    """Return a metric's twin without neighbors of the same source group, if it has one."""
    return metric + GROUPED if metric + GROUPED in known_metrics() else metric


def _name(metric: str) -> str:
    return AXES.get(metric) or title_of(metric)


def normalised(values: Mapping[str, float], metric: str) -> dict[str, float]:
    """Return values scaled from the worst (0) to the best (1); none if they do not differ.

    Undefined values are left out.
    """
    defined = {name: value for name, value in values.items() if not math.isnan(value)}
    if not defined:
        return {}
    low, high = min(defined.values()), max(defined.values())
    if low == high:
        return {}
    shares = {name: (value - low) / (high - low) for name, value in defined.items()}
    known = known_metrics().get(metric)
    falls = known is not None and known.better == "lower"
    return {name: 1 - share for name, share in shares.items()} if falls else shares


def _rows(
    named: Mapping[str, Experiment],
    scaled: Mapping[str, Mapping[str, float]],
    best: Sequence[str],
    methods: Sequence[str],
) -> list[Row]:
    """Return one row for each method and axis, with its place on the axis and on the radar."""
    angles = {metric: 2 * math.pi * i / len(scaled) for i, metric in enumerate(scaled)}
    return [
        {
            "method": name,
            "role": ROLES[0] if name in best else ROLES[1] if name in methods else ROLES[2],
            "metric": metric,
            "axis": _name(metric),
            "order": order,
            "value": experiment.value(metric),
            "scaled": values[name],
            "x": values[name] * math.sin(angles[metric]),
            "y": values[name] * math.cos(angles[metric]),
        }
        for name, experiment in named.items()
        for order, (metric, values) in enumerate(scaled.items())
        if name in values
    ]


def _radar(
    name: str, color: str, rows: Sequence[Row], metrics: Sequence[str], baselines: Sequence[str]
) -> alt.LayerChart | alt.FacetChart:
    """Return the closed outline of one method over rings and spokes, beside the baseline's."""
    import altair as alt

    turn = [2 * math.pi * i / len(metrics) for i in range(len(metrics) + 1)]
    corners = [(math.sin(angle), math.cos(angle)) for angle in turn]
    scale = alt.Scale(domain=[-REACH, REACH], nice=False)
    x, y = alt.X("x:Q", axis=None, scale=scale), alt.Y("y:Q", axis=None, scale=scale)

    def drawn(values: Sequence[Row]) -> alt.Chart:
        return alt.Chart(alt.InlineData(values=list(values))).encode(x=x, y=y)

    rings = [
        {"ring": ring, "order": order, "x": ring * right, "y": ring * up}
        for ring in RINGS
        for order, (right, up) in enumerate(corners)
    ]
    spokes = [{"x": right, "y": up, "zero": 0} for right, up in corners[:-1]]
    labels: list[Row] = [
        {"text": _name(metric), "x": 1.16 * right, "y": 1.16 * up, "side": round(right, 6)}
        for metric, (right, up) in zip(metrics, corners, strict=False)
    ]
    sides = [(align, [one for one in labels if is_there(one["side"])]) for align, is_there in SIDES]
    own = _closed(rows, name)
    return alt.layer(
        drawn(rings)
        .mark_line(style="guide", strokeWidth=1)
        .encode(order="order:Q", detail="ring:N"),
        drawn(spokes).mark_rule(style="guide").encode(x2="zero:Q", y2="zero:Q"),
        *(
            drawn(chosen).mark_text(align=align, fontSize=10, style="aside").encode(text="text:N")
            for align, chosen in sides
            if chosen
        ),
        *(
            drawn(_closed(rows, baseline))
            .mark_line(color=DASHED, strokeDash=[4, 3], strokeWidth=1.5)
            .encode(order="order:Q")
            for baseline in baselines
        ),
        # Drawn as a line, whose inside is filled: an area mark has no closed outlines.
        drawn(own)
        .mark_line(color=color, fill=color, fillOpacity=0.18, strokeWidth=2)
        .encode(order="order:Q"),
        drawn(own)
        .mark_point(color=color, filled=True, size=30, opacity=1)
        .encode(tooltip=_tooltip()),
        title=name,
        width=RADAR,
        height=RADAR,
        view=alt.ViewBackground(strokeOpacity=0),
    )


def _closed(rows: Sequence[Row], name: str) -> list[Row]:
    own = [row for row in rows if row["method"] == name]
    return [*own, own[0] | {"order": len(own)}]


def _parallel(
    rows: Sequence[Row], metrics: Sequence[str], best: Sequence[str], baselines: Sequence[str]
) -> alt.LayerChart | alt.FacetChart:
    """Return all methods as lines over parallel axes, the best in colour."""
    import altair as alt

    x = alt.X(
        "axis:N",
        sort=[_name(metric) for metric in metrics],
        title=None,
        axis=alt.Axis(labelAngle=-30, grid=True, labelFontSize=12),
        scale=alt.Scale(type="point", padding=0.3),
    )
    y = alt.Y("scaled:Q", title="worst (0) to best (1) method")

    def lines(chosen: list[Row], **mark: Any) -> alt.Chart:
        return (
            alt.Chart(alt.InlineData(values=chosen))
            .mark_line(**mark)
            .encode(x=x, y=y, detail="method:N", tooltip=_tooltip())
        )

    ours = [row for row in rows if row["method"] in best]
    others = [row for row in rows if row["role"] == ROLES[1]]
    rivals = [row for row in rows if row["method"] in baselines]
    shown = [*best, *baselines]
    color = alt.Color(
        "method:N",
        title=None,
        scale=alt.Scale(domain=shown, range=[*LINES[: len(best)], *[DASHED] * len(baselines)]),
        legend=alt.Legend(
            labelLimit=220,
            symbolType="stroke",
            symbolStrokeWidth=3,
            orient="bottom",
            direction="vertical",
        ),
    )
    background = [lines(others, style="guide", strokeWidth=1)] if others else []
    if rivals:
        background.append(lines(rivals, strokeWidth=1.5, strokeDash=[5, 3]).encode(color=color))
    return alt.layer(
        *background,
        lines(ours, strokeWidth=2.2, point=alt.OverlayMarkDef(size=40)).encode(color=color),
        width=880,
        height=300,
    )


def _tooltip() -> list[alt.Tooltip]:
    import altair as alt

    return [
        alt.Tooltip("method:N"),
        alt.Tooltip("metric:N"),
        alt.Tooltip("value:Q", format=".4~g"),
        alt.Tooltip("scaled:Q", format=".2f"),
    ]
