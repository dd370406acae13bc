"""What a chart about channels is, and what several of them need."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from latentmap.config import Options, Plugin, Registry
from latentmap.inspect.inspection import ChannelMetrics, Inspection, ranked
from latentmap.report.lazy import alt
from latentmap.report.matrix import shown_labels
from latentmap.report.points import Points

# More than this no chart shows legibly: the best channels are shown.
MOST_CHANNELS = 64
MOST_PLANES = 16


@dataclass(frozen=True)
class DeepDive:
    """What a chart about channels may show.

    Attributes:
        inspection: what was found in the latents.
        colors: colour of every label group, in the order of the groups.
        mapped: the channels that have maps.
        points: coordinates of the samples in their maps, between -1 and 1 but for far ones, by
            kind, axis and channel: pca_x0, pca_y0, pca_x1, …
    """

    inspection: Inspection
    colors: Mapping[str, str]
    mapped: Sequence[int] = ()
    points: Points = field(default_factory=dict)

    @property
    def labels(self) -> list[int]:
        """Positions of the labels that a chart shows, by group and name."""
        found = self.inspection
        return shown_labels(found.labels, found.groups, found.counts, self.colors)

    @property
    def ranked(self) -> list[int]:
        """The channels, best first by the neighbors that each finds alone."""
        return ranked(self.inspection.channels)

    @property
    def metrics(self) -> dict[str, Sequence[ChannelMetrics]]:
        """Of each channel what it says of labels and, where these are others, of groups."""
        found = self.inspection
        same = sorted(set(found.groups)) == sorted(found.labels)
        return {"label": found.channels} | ({} if same else {"group": found.group_channels})

    @property
    def kinds(self) -> list[str]:
        """Kinds of maps that the channels have."""
        return list(dict.fromkeys(name.partition("_")[0] for name in self.points))

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
        renderer: `canvas` for many marks, of which a reader needs none as text.
    """

    title: ClassVar[str]
    look_for: ClassVar[str]
    needs_labels: ClassVar[bool] = True
    shows_samples: ClassVar[bool] = False
    renderer: ClassVar[str] = "svg"

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


def choice(name: str, label: str, values: Mapping[str, str]) -> alt.Parameter:
    """Return a parameter that the reader sets to one of a few values, the first by default.

    A single value is no choice, and shown as none.

    Args:
        name: of the parameter.
        label: what stands before the values.
        values: with the name that a reader sees.
    """
    options, labels = list(values), list(values.values())
    if len(options) == 1:
        return alt.param(name=name, value=options[0])
    bind = alt.binding_radio(options=options, labels=labels, name=label)
    return alt.param(name=name, value=options[0], bind=bind)
