"""What a chart about channels is, and what several of them need."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from latentmap.config import Options, Plugin, Registry
from latentmap.inspect.inspection import Floats, Inspection
from latentmap.report.matrix import shown_labels
from latentmap.report.points import Points

if TYPE_CHECKING:
    import altair as alt

# More than this no chart shows legibly: the best channels are shown.
MOST_CHANNELS = 64
MOST_MAPS = 16


@dataclass(frozen=True)
class DeepDive:
    """What a chart about channels may show.

    Attributes:
        inspection: what was found in the latents.
        points: coordinates of the samples in the maps of the channels that are shown: x0, y0, x1, …
        colors: colour of every label group, in the order of the groups.
    """

    inspection: Inspection
    points: Points
    colors: Mapping[str, str]

    @property
    def labels(self) -> list[int]:
        """Positions of the labels that a chart shows, by group and name."""
        found = self.inspection
        return shown_labels(found.labels, found.groups, found.counts, self.colors)

    @property
    def ranked(self) -> list[int]:
        """The channels, best first by the neighbors that each finds alone."""
        found = self.inspection.channels
        metrics = [(one.knn_grouped, one.knn, one.f) for one in found]
        keys = [[-math.inf if math.isnan(v) else v for v in metric] for metric in metrics]
        return sorted(range(len(found)), key=lambda channel: keys[channel], reverse=True)

    def shown(self, most: int = MOST_CHANNELS) -> list[int]:
        """The channels that a chart shows: all, or the best if there are more; ascending."""
        return sorted(self.ranked[:most])

    def note(self, most: int = MOST_CHANNELS) -> str:
        """Say which channels are left out, if any are."""
        count = len(self.inspection.channels)
        if count <= most:
            return ""
        which = "whose neighbors agree most in their label" if self.inspection.labels else "first"
        return f"Of {count} channels the {most} {which}."


class ChannelChart(Plugin[Options]):
    """A chart about the channels or positions of the latents of one encoder and variant.

    Attributes:
        title: its heading.
        look_for: one line that says what to look for.
        needs_labels: whether it shows nothing where no sample has a label.
        shows_samples: whether it draws the data set `points`, one row for each compared sample.
    """

    title: ClassVar[str]
    look_for: ClassVar[str]
    needs_labels: ClassVar[bool] = True
    shows_samples: ClassVar[bool] = False

    @abstractmethod
    def build(self, data: DeepDive) -> alt.TopLevelMixin | None:
        """Return the chart; none if nothing it shows is defined."""

    def note(self, data: DeepDive) -> str:
        """Return what else the reader must know."""
        return data.note()


CHANNEL_CHARTS: Registry[ChannelChart] = Registry(
    "latentmap.report.deep_dive", ChannelChart, "chart"
)


def channel_charts(labelled: bool) -> list[str]:
    """Return the names of the charts that show something of a run."""
    return [name for name in CHANNEL_CHARTS if labelled or not CHANNEL_CHARTS[name].needs_labels]


def channel_name(channel: int) -> str:
    """Return what charts call a channel; they count from 0, as arrays do."""
    return f"channel {channel}"


def cells(values: Floats, most: int) -> list[dict[str, float]]:
    """Return a plane as rectangles, averaged to at most `most` to a side.

    Args:
        values: (H, W); undefined values are left out.
        most: rectangles to a side.
    """
    edges = [np.linspace(0, size, min(size, most) + 1).round().astype(int) for size in values.shape]
    return [
        {
            "row": int(top),
            "row_end": int(bottom),
            "column": int(left),
            "column_end": int(right),
            "f": round(float(np.nanmean(part)), 4),
        }
        for top, bottom in zip(edges[0], edges[0][1:], strict=False)
        for left, right in zip(edges[1], edges[1][1:], strict=False)
        if np.isfinite(part := values[top:bottom, left:right]).any()
    ]
