"""Values of a target: read as what its kind needs, and its kind where that is to be found out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from latentmap.samples.cells import as_text, is_blank
from latentmap.samples.spelling import plain_name
from latentmap.targets.derivation import Kind

DEGREES = 360.0
BINARY_NAMES = {True: "yes", False: "no"}


@dataclass(frozen=True)
class ReadValues:
    """The values of a target.

    Attributes:
        kind: what they are.
        values: (N,) texts, numbers or degrees from 0 to 360; None where a sample has none.
        unreadable: why a value that is there could not be read, by row.
    """

    kind: Kind
    values: list[str | float | None]
    unreadable: dict[int, str] = field(default_factory=dict)


def read_values(
    cells: Sequence[Any], kind: Literal["auto", Kind], period: float | None = None
) -> ReadValues:
    """Read the values of a target.

    Args:
        cells: (N,) as they are stored.
        kind: of the target; `auto` finds it out: two values are `binary`, numbers `continuous`,
            any other `categorical`.
        period: of a circular target, what a full turn is; degrees by default.
    """
    texts = [_text(cell) for cell in cells]
    if kind == "auto":
        kind = _kind_of(texts, cells)
    if kind in ("categorical", "binary"):
        return ReadValues(kind, list(texts))
    values: list[str | float | None] = []
    unreadable = {}
    for row, (cell, text) in enumerate(zip(cells, texts, strict=True)):
        number = None if text is None else _number(cell, text)
        if text is not None and number is None:
            unreadable[row] = f"the value is no finite number (it is '{text}')"
        if number is not None and kind == "circular":
            number = number * DEGREES / (period or DEGREES) % DEGREES
        values.append(number)
    return ReadValues(kind, values, unreadable)


def _text(cell: Any) -> str | None:
    """Return a value as the name of a class; blank text is none."""
    text = BINARY_NAMES[cell] if isinstance(cell, bool) else as_text(cell)
    return None if is_blank(text) else plain_name(str(text))


def _kind_of(texts: Sequence[str | None], cells: Sequence[Any]) -> Kind:
    found = [(text, cell) for text, cell in zip(texts, cells, strict=True) if text is not None]
    if len({text for text, _ in found}) == 2:
        return "binary"
    if all(_number(cell, text) is not None for text, cell in found):
        return "continuous"
    return "categorical"


def _number(cell: Any, text: str) -> float | None:
    """Return a number, also one that is stored as text; None of what is none, or not finite."""
    try:
        number = float(text if isinstance(cell, str) else cell)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
