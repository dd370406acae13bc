"""Cells of tables whose colour says how high a value is, and grey that it may be chance."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TonedCell:
    """One cell.

    Attributes:
        text: what it shows.
        sort: by which its column is sorted; empty goes last.
        details: what it says on hover.
        tone: how dark its colour is, 0 for none; its table says up to what.
        is_faint: whether it may be chance.
    """

    text: str
    sort: str = ""
    details: str = ""
    tone: int = 0
    is_faint: bool = False
