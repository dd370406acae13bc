"""Channels of the latents beside what the model's authors state of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from latentmap.encode.calibration import OUT_OF_RANGE, Calibration
from latentmap.report.chart import Chart, Comparison
from latentmap.report.lazy import alt
from latentmap.report.palette import CHANCE, GROUPED, NEUTRAL

Row = dict[str, Any]
STEP = 22
HEIGHT = 220


class CalibrationChart(Chart):
    """One panel for each encoder and variant whose model states its channels' statistics."""

    needs_labels = False
    title = "Latent statistics against the model's"
    look_for = (
        "Blue points should lie inside their grey bands, which span one standard deviation of the "
        "model's own latents on each side of their mean; thin blue lines are the same for the "
        "latents here. Orange points are far outside: either the pixels are not in the range that "
        "the model expects (0 to 255 instead of -1 to 1, for example), or the images are of "
        "another kind than its training data."
    )
    scope = "summary"

    def build(self, data: Comparison) -> alt.TopLevelMixin | None:
        """Return means and standard deviations per channel; none if no model states its own."""
        panels = [
            _panel(_rows(calibration), ", ".join(place))
            for place, calibration in data.calibrations.items()
            if calibration.expected is not None
        ]
        if not panels:
            return None
        return alt.concat(
            *panels,
            columns=2,
            spacing=30,
            description=(
                "Mean and standard deviation of each channel of the latents, beside those that "
                "the model's authors state."
            ),
        )


def _rows(calibration: Calibration) -> list[Row]:
    expected, z = calibration.expected, calibration.z
    assert expected is not None and z is not None
    return [
        {
            "channel": channel,
            "mean": mean,
            "low": mean - std,
            "high": mean + std,
            "model_mean": own_mean,
            "model_low": own_mean - own_std,
            "model_high": own_mean + own_std,
            "deviations": float(distance),
            "far": bool(abs(distance) >= OUT_OF_RANGE),
        }
        for channel, (mean, std, own_mean, own_std, distance) in enumerate(
            zip(
                calibration.mean,
                calibration.std,
                expected.mean,
                expected.std,
                np.asarray(z),
                strict=True,
            )
        )
    ]


def _panel(rows: list[Row], title: str) -> alt.LayerChart | alt.FacetChart:
    axis = alt.Axis(labelAngle=0, grid=False, labelOverlap=True)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("channel:O", title="channel", axis=axis)
    )
    band = base.mark_bar(width={"band": 0.65}, color=NEUTRAL, opacity=0.45).encode(
        y=alt.Y("model_low:Q", title="value in the latents"), y2="model_high:Q"
    )
    color = alt.condition("datum.far", alt.value(CHANCE), alt.value(GROUPED))
    reach = base.mark_rule(strokeWidth=1.5).encode(y="low:Q", y2="high:Q", color=color)
    point = base.mark_point(filled=True, size=55, opacity=1).encode(
        y="mean:Q",
        color=color,
        tooltip=[
            alt.Tooltip("channel:O"),
            alt.Tooltip("mean:Q", format=".3~g"),
            alt.Tooltip("model_mean:Q", format=".3~g"),
            alt.Tooltip("deviations:Q", format=".2f"),
        ],
    )
    return alt.layer(band, reach, point, title=title, width=STEP * len(rows), height=HEIGHT)
