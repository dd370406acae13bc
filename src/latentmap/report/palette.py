"""Colours: one palette that colour-blind readers can tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from latentmap.draw.colors import OKABE_ITO

# Black is left to text.
GROUPS = OKABE_ITO[:-1]

# Those of the palette that a thin line on white still shows.
LINES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")

CHANCE = "#D55E00"
NEUTRAL = "#999999"
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
        has; when all are taken the palette repeats, darker each time.
    """
    groups = [*configured, *sorted(set(found) - set(configured))]
    given = {group: color for group, color in configured.items() if color is not None}
    taken = {color.upper() for color in given.values()}
    shades = (
        shade
        for turn in range(len(groups) + 1)
        for shade in (_darker(color, 0.6**turn) for color in GROUPS)
        if shade not in taken
    )
    return {group: given.get(group) or next(shades) for group in groups}


def ordered_colors(count: int) -> list[str]:
    """Return colours for values in an order, dark to light: evenly spaced on the scale of trust."""
    anchors = np.array([_channels(color) for color in TRUST])
    places = np.linspace(0, len(anchors) - 1, count)
    mixed = [np.interp(places, range(len(anchors)), anchors[:, i]) for i in range(3)]
    return [_hex(channels) for channels in zip(*mixed, strict=True)]


def _darker(color: str, factor: float) -> str:
    return _hex(channel * factor for channel in _channels(color))


def _channels(color: str) -> list[int]:
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def _hex(channels: Iterable[float]) -> str:
    return "#" + "".join(f"{round(channel):02X}" for channel in channels)
