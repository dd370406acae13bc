"""Bars of what each channel's mean, and each channel alone, says of the labels."""

from __future__ import annotations

import math

from latentmap.metrics.metric import Measurement
from latentmap.report.bars import bars, measured, panels
from latentmap.report.channel_chart import ChannelChart, DeepDive, channel_name
from latentmap.report.lazy import alt

WIDTH = 290


class ChannelImportance(ChannelChart):
    """One panel for each metric; channels in the same order, best first, in all of them."""

    title = "Channels that separate labels"
    look_for = (
        "Bars should exceed the orange tick of chance; the best channels lead in every panel. A "
        "channel with a high F statistic but few same-label neighbors differs between labels in "
        "its mean only."
    )

    def build(self, data: DeepDive) -> alt.TopLevelMixin | None:
        """Return panels of horizontal bars."""
        found = data.inspection
        shown = [channel for channel in data.ranked if channel in set(data.shown())]
        metrics: dict[str, list[Measurement]] = {}
        for kind, channels in data.metrics.items():
            metrics |= {
                f"kNN {kind} purity across sources, {found.k} neighbors": [
                    Measurement(one.knn_grouped, one.knn_grouped_chance) for one in channels
                ],
                f"F statistic of {kind}s on the channel's mean": [
                    Measurement(one.f, 1.0) for one in channels
                ],
                f"silhouette of {kind}s on the channel's mean": [
                    Measurement(one.silhouette) for one in channels
                ],
            }
        names = [channel_name(channel) for channel in shown]
        charts = {}
        for title, measurements in metrics.items():
            rows = [
                {"method": channel_name(channel), **measured(measurements[channel])}
                for channel in shown
                if not math.isnan(measurements[channel].value)
            ]
            if rows:
                charts[title] = bars(rows, names)
        described = "Bars of each channel's metrics, by the neighbors it finds alone."
        return panels(charts, WIDTH, 3, described)
