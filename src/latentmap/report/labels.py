"""The labels of a run and their colours: decided once, for every page, export and chart."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from latentmap.report.palette import NEUTRAL, group_colors
from latentmap.store.files import read_json, reading, write_json
from latentmap.store.samples import read_samples

NO_LABEL = ""
"""The label and group that pages and charts give to a sample without a label."""

UNLABELLED = "no label"
"""What a reader is told of such a sample."""


@dataclass(frozen=True)
class Label:
    """One label.

    Attributes:
        name: of the label.
        group: its label group; if samples say different things of it, the most frequent one.
        samples: how many have it.
    """

    name: str
    group: str
    samples: int


@dataclass(frozen=True)
class LabelGroup:
    """One label group.

    Attributes:
        name: of the group.
        color: of its samples, #rrggbb.
        samples: how many are in it.
    """

    name: str
    color: str
    samples: int


@dataclass(frozen=True)
class RunLabels:
    """The labels of a run.

    Attributes:
        labels: sorted by name.
        groups: those of the configuration in its order, then the others, sorted by name.
        without: samples that have no label.
    """

    labels: list[Label]
    groups: list[LabelGroup]
    without: int

    @property
    def labelled(self) -> int:
        """How many samples have a label."""
        return sum(label.samples for label in self.labels)

    @cached_property
    def colors(self) -> dict[str, str]:
        """Colour of every group that samples have, in order; `NO_LABEL` last if some have none."""
        colors = {group.name: group.color for group in self.groups if group.samples}
        return colors | ({NO_LABEL: NEUTRAL} if self.without else {})

    @cached_property
    def group_of(self) -> dict[str, str]:
        """The group of every label, in the order of the groups."""
        order = {group: place for place, group in enumerate(self.colors)}
        labels = sorted(self.labels, key=lambda label: (order[label.group], label.name))
        return {label.name: label.group for label in labels}

    def color_of(self, label: str) -> str:
        """Return the colour of a label, which is that of its group, or of `NO_LABEL`."""
        return self.colors[self.group_of.get(label, NO_LABEL)]


def collect_labels(
    samples: Iterable[Path | str], configured: Mapping[str, str | None], output: Path | str
) -> None:
    """Write the labels and label groups of all samples, with the colours of the groups.

    Args:
        samples: shards of samples.
        configured: the run's label groups in order, with their colour where one is given.
        output: JSON file of what `RunLabels` holds.
    """
    table = read_samples(samples, ["label", "label_group"])
    pairs = Counter(zip(table["label"].to_pylist(), table["label_group"].to_pylist(), strict=True))
    without = pairs.pop((None, None), 0)
    groups_of: dict[str, Counter[str]] = defaultdict(Counter)
    sizes: Counter[str] = Counter()
    for (label, group), count in pairs.items():
        groups_of[label][group] += count
        sizes[group] += count
    labels = [
        Label(label, min(counts, key=lambda group: (-counts[group], group)), counts.total())
        for label, counts in sorted(groups_of.items())
    ]
    colors = group_colors(configured, sizes)
    groups = [LabelGroup(name, color, sizes[name]) for name, color in colors.items()]
    write_json(output, asdict(RunLabels(labels, groups, without)))


def read_labels(path: Path | str) -> RunLabels:
    """Read what `collect_labels` wrote.

    Raises:
        LatentmapError: the file is damaged.
    """
    with reading(path, "a file of labels"):
        content = read_json(path)
        return RunLabels(
            [Label(**label) for label in content["labels"]],
            [LabelGroup(**group) for group in content["groups"]],
            content["without"],
        )
