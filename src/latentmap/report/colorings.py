"""What the points of a map can be coloured by, besides their label group and trust."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from latentmap.report.labels import NO_LABEL, UNLABELLED
from latentmap.report.palette import NEUTRAL, UNKNOWN, group_colors, ordered_colors
from latentmap.samples.spelling import plain_name

MOST_VALUES = 12
"""More values of a column have no colours that a reader could tell apart."""

MOST_LABELS = 50
"""So many labels have colours of their own: what they are is on the page, and on hover."""

LABEL = "label"
OTHERS = "other values"

NO_VALUE = "no value"


@dataclass(frozen=True)
class Coloring:
    """The colours of one column.

    Attributes:
        key: name of the column of codes in a map's rows.
        title: name of the column.
        values: its values, in the order of the legend; `NO_VALUE` last where samples have none.
        colors: their colours.
        codes: for each sample that is shown the position of its value.
    """

    key: str
    title: str
    values: Sequence[str]
    colors: Sequence[str]
    codes: Sequence[int]


def colorings(columns: Mapping[str, Sequence[str | None]]) -> list[Coloring]:
    """Return the colours of every column that tells samples apart by a few values.

    Of texts that are more than these, the most frequent have colours of their own.

    Args:
        columns: values of the samples that are shown, by name; None where a sample has none.
    """
    found = (_coloring(f"column{n}", title, c) for n, (title, c) in enumerate(columns.items()))
    return [coloring for coloring in found if coloring]


def label_coloring(labels: Sequence[str]) -> Coloring | None:
    """Return the colours of labels, of which far more than of other values get their own.

    Labels are names, also where they are numbers.
    """
    named = [None if label == NO_LABEL else label for label in labels]
    coloring = _coloring("labels", LABEL, named, MOST_LABELS, are_names=True)
    if coloring is None or None not in named:
        return coloring
    return replace(coloring, values=[*coloring.values[:-1], UNLABELLED])


def _coloring(
    key: str,
    title: str,
    column: Sequence[str | None],
    most: int = MOST_VALUES,
    are_names: bool = False,
) -> Coloring | None:
    counts = Counter(value for value in column if value is not None)
    numbers = None if are_names else _numbers(counts)
    values = sorted(counts, key=lambda value: (numbers[value] if numbers else 0, value))
    if len(values) > most:
        values = [] if numbers else sorted(_most_frequent(counts, most - 1))
    if len(set(column)) < 2 or not values:
        return None
    others = len(counts) > len(values)
    if numbers is None:
        colors = list(group_colors(dict.fromkeys(values)).values())
    else:
        colors = ordered_colors(len(values))
    codes: dict[Any, int] = {value: code for code, value in enumerate(values)}
    codes |= dict.fromkeys(set(counts) - set(values), len(values))
    shown = [*map(plain_name, values), *[OTHERS] * others]
    colors += [NEUTRAL] * others
    if None in column:
        codes[None] = len(shown)
        shown, colors = [*shown, NO_VALUE], [*colors, UNKNOWN]
    return Coloring(key, title, shown, colors, [codes[value] for value in column])


def _most_frequent(counts: Mapping[str, int], most: int) -> list[str]:
    """Return the values that most samples have; none of those that tell every sample apart."""
    repeated = [value for value, count in counts.items() if count > 1]
    return sorted(repeated, key=lambda value: (-counts[value], value))[:most]


def _numbers(values: Iterable[str]) -> dict[str, float] | None:
    """Return the values as numbers, None if one is no finite number."""
    try:
        numbers = {value: float(value) for value in values}
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers.values())) else None
