"""Tables of other tools, read as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from latentmap.samples.cells import as_text, cells, parse_object
from latentmap.samples.tables.file import BROKEN, HIDDEN
from latentmap.samples.tables.rows import Rows

RATIONALE = "rationale"
"""The column that holds JSON objects, whose keys become columns."""

Cells = list[str | None]


@dataclass
class Sheet:
    """What an annotation file says.

    Attributes:
        columns: text of the rows that could be read, column by column; null where there is none.
        malformed: numbers of the lines that could not, from 1.
        unparsed: rows whose rationale is no JSON object, and is kept as text.
    """

    columns: dict[str, Cells]
    malformed: list[int] = field(default_factory=list)
    unparsed: int = 0


def read_table(path: Path, header: bool = True) -> Sheet:
    """Read a file as text; see `Rows`.

    Raises:
        LatentmapError: it is of another kind, or cannot be read.
    """
    table = Rows([path], header=header).table()
    malformed = []
    if BROKEN in table.column_names:
        faults = table[BROKEN].to_pylist()
        malformed = [fault["line"] for fault in faults if fault]
        table = table.filter(pa.array([fault is None for fault in faults]))
    names = [name for name in table.column_names if name not in HIDDEN]
    return Sheet({n: [as_text(cell) or None for cell in cells(table, n)] for n in names}, malformed)


def column_names(path: Path, header: bool = True) -> list[str]:
    """Return the names of a file's columns; none where every row has names of its own."""
    return [
        name for name in Rows([path], header=header).take([]).column_names if name not in HIDDEN
    ]


def unfold_rationales(sheet: Sheet) -> None:
    """Put the keys of rationales in columns; a rationale that is no JSON object stays text."""
    texts = sheet.columns.pop(RATIONALE)
    parsed = [None if text is None else _parse(text) for text in texts]
    kept = [text if row is None else None for text, row in zip(texts, parsed, strict=True)]
    sheet.unparsed = sum(text is not None for text in kept)
    for key in dict.fromkeys(key for row in parsed if row is not None for key in row):
        sheet.columns[f"{RATIONALE}.{key}"] = [row.get(key) if row else None for row in parsed]
    if sheet.unparsed:
        sheet.columns[RATIONALE] = kept


def _parse(text: str) -> dict[str, str | None] | None:
    """Return a JSON object's values as text; None of what is no such object."""
    try:
        return {key: as_text(value) for key, value in parse_object(text).items()}
    except ValueError:
        return None
