"""Colours: one palette that colour-blind readers can tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import cycle, islice

import numpy as np

from latentmap.draw.colors import OKABE_ITO

# Chosen one by one, each as far (CIEDE2000) as can be from all before it, of hues, chromas and
# lightnesses that show on white and on black.
# fmt: off
FURTHER = (
    "#8107B2", "#A10936", "#245C0B", "#F5B19D", "#889218", "#22DF31", "#BFBDE3",
    "#70470F", "#B7C6A3", "#9B71FE", "#42D5CF", "#FD1C39", "#A2876B", "#205953",
    "#4A4C7B", "#188E9A", "#895173", "#847D9F", "#995E4D", "#324CF6", "#E317D9",
    "#6D7C5B", "#DE2C6E", "#F2A7F8", "#A37B01", "#128A1B", "#545131", "#9F1902",
    "#DABD8A", "#D97B7B", "#28DA9C", "#6C8AD0", "#E4B4C5", "#845AAC", "#78AF5B",
    "#FC8F3A", "#21566B", "#78AA9C", "#A0C30B", "#606902", "#2E7A62", "#6F4447",
)
# fmt: on

# Okabe and Ito's colours, with dark grey for their black, which is left to text and lost on dark
# backgrounds; then the further ones.
GROUPS = (*OKABE_ITO[:-1], "#666666", *FURTHER)

# Those of the palette that a thin line on white still shows.
LINES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")

CHANCE = "#D55E00"
CHANCE_RANGE = "#F4B183"
NEUTRAL, LIGHT = "#999999", "#cccccc"
GROUPED = "#0072B2"
UNGROUPED = "#9ECAE9"

# Steps of viridis, dark to light, which keep their order for every kind of colour vision.
TRUST = ("#440154", "#3B528B", "#21918C", "#5EC962", "#FDE725")
UNKNOWN = "#FFFFFF"


def group_colors(configured: Mapping[str, str | None], found: Iterable[str] = ()) -> dict[str, str]:
    """Return a colour for every label group.

    Args:
        configured: the run's groups in order, with their colour where one is given.
        found: groups of the samples; those that are not configured follow, sorted.

    Returns:
        Group to #rrggbb. A group without a colour gets the next of the palette that no group
        is given; after its 50 colours the palette repeats.
    """
    groups = [*configured, *sorted(set(found) - set(configured))]
    given = {group: color for group, color in configured.items() if color is not None}
    taken = {color.upper() for color in given.values()}
    free = cycle([color for color in GROUPS if color not in taken] or GROUPS)
    return {group: given.get(group) or next(free) for group in groups}


def line_colors(count: int) -> list[str]:
    """Return colours for so many lines; after the six that show on white they repeat."""
    return list(islice(cycle(LINES), count))


def ordered_colors(count: int) -> list[str]:
    """Return colours for values in an order, dark to light: evenly spaced on the scale of trust."""
    anchors = np.array([_channels(color) for color in TRUST])
    places = np.linspace(0, len(anchors) - 1, count)
    mixed = [np.interp(places, range(len(anchors)), anchors[:, i]) for i in range(3)]
    return [_hex(channels) for channels in zip(*mixed, strict=True)]


def _channels(color: str) -> list[int]:
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def _hex(channels: Iterable[float]) -> str:
    return "#" + "".join(f"{round(channel):02X}" for channel in channels)
