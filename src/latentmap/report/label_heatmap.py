"""Matrices of labels and channels, as they are and as they differ from all samples."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

import numpy as np

from latentmap.inspect.inspection import Floats, Inspection
from latentmap.report.channel_chart import ChannelChart, DeepDive, choice
from latentmap.report.lazy import alt
from latentmap.report.matrix import diverging, label_axis, labels_note, matrix

RAW = "raw values"


class LabelHeatmap(ChannelChart):
    """A metric of each channel for each label: how far it is from that of all samples, and raw.

    Attributes:
        what: the metric.
        compared: how it is set against all samples.
    """

    what: ClassVar[str]
    compared: ClassVar[str] = "z-scores"
    look_for = (
        "Rows of a label group that look alike share what the channels see; columns with strong "
        "colours are channels that differ between labels. A z-score is the distance from the mean "
        "of all samples in their standard deviations; by chance, a label with n samples is about "
        "1/√n away: 0.1 with 100 samples, 0.3 with 10."
    )

    @abstractmethod
    def deviating(self, found: Inspection) -> tuple[Floats, Floats, Floats]:
        """Return the metric for each label, (L, C), that of all samples, and its unit, (C,)."""

    def build(self, data: DeepDive) -> alt.TopLevelMixin | None:
        """Return a matrix with labels as rows, by group, and channels as columns."""
        found = data.inspection
        values, centre, unit = self.deviating(found)
        undefined = np.full_like(values, np.nan)
        deviations = np.divide(values - centre, unit, out=undefined, where=unit > 0)
        rows = [
            {
                "label": found.labels[label],
                "group": found.groups[label],
                "n": found.counts[label],
                "channel": str(channel),
                "value": float(values[label, channel]),
                "deviation": float(deviations[label, channel]),
            }
            for channel in data.shown()
            for label in data.labels
            if np.isfinite(deviations[label, channel])
        ]
        if len(found.labels) < 2 or not rows:
            return None
        shown = np.ix_(data.labels, data.shown())
        raw, scaled = (
            float(np.nanmax(np.abs(table[shown]))) or 1.0 for table in (values, deviations)
        )
        reach, digits = (
            f"view == '{RAW}' ? {of_raw} : {of_scaled}"
            for of_raw, of_scaled in ((raw, scaled), (f"'{_format(raw)}'", f"'{_format(scaled)}'"))
        )
        names = [found.labels[label] for label in data.labels]
        return (
            matrix(
                rows,
                x=alt.X(
                    "channel:N",
                    scale=alt.Scale(domain=[str(channel) for channel in data.shown()]),
                    title="channel",
                    axis=alt.Axis(orient="top", labelAngle=0, domain=False, ticks=False),
                ),
                y=label_axis("label", names),
                color=diverging("shown", reach, self.what),
                tooltip=[
                    *(alt.Tooltip(f"{name}:N") for name in ("label", "group", "channel")),
                    alt.Tooltip("n:Q"),
                    alt.Tooltip("value:Q", format=".3~g"),
                    alt.Tooltip("deviation:Q", title=self.compared, format=".3~g"),
                ],
                text=alt.Text("number:N"),
                light=f"abs(datum.shown) > 0.65 * ({reach})",
                cell=(34, 20),
                description=f"Matrix of labels and channels: {self.what}.",
            )
            .transform_calculate(shown=f"view == '{RAW}' ? datum.value : datum.deviation")
            .transform_calculate(number=f"format(datum.shown, {digits})")
            .add_params(choice("view", "Shown as", {self.compared: self.compared, RAW: RAW}))
        )

    def note(self, data: DeepDive) -> str:
        """Return what is left out."""
        return f"{data.note()} {labels_note(len(data.inspection.labels))}".strip()


def _format(largest: float) -> str:
    """Return a format by which numbers up to this one have two digits, in the width of a cell."""
    return f".{max(0, 1 - math.floor(math.log10(largest)))}f"
