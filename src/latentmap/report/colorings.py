"""What the points of a map can be coloured by, besides their label group and trust."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from latentmap.report.palette import UNKNOWN, group_colors, ordered_colors
from latentmap.samples.spelling import plain_name

MOST_VALUES = 12
"""A column of more values has no colours that a reader could tell apart."""

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

    @property
    def legend(self) -> list[tuple[int, str, str, int]]:
        """(code, value, colour, number of samples) of every value."""
        counts = Counter(self.codes)
        return [
            (code, value, color, counts[code])
            for code, (value, color) in enumerate(zip(self.values, self.colors, strict=True))
        ]


def colorings(columns: Mapping[str, Sequence[str | None]]) -> list[Coloring]:
    """Return the colours of every column that tells samples apart by a few values.

    Args:
        columns: values of the samples that are shown, by name; None where a sample has none.
    """
    return [
        _coloring(f"column{number}", title, column)
        for number, (title, column) in enumerate(columns.items())
        if len(set(column)) > 1 and len(set(column) - {None}) <= MOST_VALUES
    ]


def _coloring(key: str, title: str, column: Sequence[str | None]) -> Coloring:
    found = {value for value in column if value is not None}
    numbers = _numbers(found)
    if numbers is None:
        values = sorted(found)
        colors = list(group_colors(dict.fromkeys(values)).values())
    else:
        values = sorted(found, key=lambda value: (numbers[value], value))
        colors = ordered_colors(len(values))
    codes: dict[Any, int] = {value: code for code, value in enumerate(values)}
    if len(found) < len(set(column)):
        codes[None] = len(values)
        values, colors = [*values, NO_VALUE], [*colors, UNKNOWN]
    shown = [plain_name(value) for value in values]
    return Coloring(key, title, shown, colors, [codes[value] for value in column])


def _numbers(values: Iterable[str]) -> dict[str, float] | None:
    """Return the values as numbers, None if one is no finite number."""
    try:
        numbers = {value: float(value) for value in values}
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers.values())) else None
