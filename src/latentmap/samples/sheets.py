"""Tables of other tools, read as text: CSV, TSV, JSONL, Parquet or Arrow."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from latentmap.errors import LatentmapError
from latentmap.samples.cells import as_text, cells, parse_object
from latentmap.samples.delimited import read_records
from latentmap.samples.rows import Rows, check_names

RATIONALE = "rationale"
"""The column that holds JSON objects, whose keys become columns."""

Cells = list[str | None]


@dataclass
class Sheet:
    """What an annotation file says.

    Attributes:
        columns: text of the rows that could be read, column by column.
        malformed: numbers of the lines that could not, from 1.
        unparsed: rows whose rationale is no JSON object, and is kept as text.
    """

    columns: dict[str, Cells]
    malformed: list[int] = field(default_factory=list)
    unparsed: int = 0


def read_table(path: Path) -> Sheet:
    """Read a file as text.

    Raises:
        LatentmapError: it is of another kind, is no UTF-8, or cannot be read.
    """
    suffix = path.suffix.lower()
    try:
        if suffix in (".csv", ".tsv"):
            return _read_csv(path, "\t" if suffix == ".tsv" else ",")
        if suffix in (".jsonl", ".ndjson"):
            return _read_json_lines(path)
        if suffix in (".parquet", ".arrow"):
            table = pa.concat_tables(Rows([path]))
            return Sheet({n: list(map(as_text, cells(table, n))) for n in table.column_names})
    except UnicodeDecodeError as error:
        raise LatentmapError(
            f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8."
        ) from None
    raise LatentmapError(f"{path}: not a .csv, .tsv, .jsonl, .parquet or .arrow file. Give one.")


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


def _read_csv(path: Path, delimiter: str) -> Sheet:
    """Read a CSV file."""
    header, records = read_records(path, delimiter)
    check_names(path, list(filter(str.strip, header.cells)))
    good = [record.cells for record in records if record.fault is None]
    columns = {
        name: [cells[position] or None for cells in good]
        for position, name in enumerate(header.cells)
        if name.strip()
    }
    return Sheet(columns, [record.line for record in records if record.fault is not None])


def _read_json_lines(path: Path) -> Sheet:
    """Read one JSON object a line; a line that is none is malformed."""
    rows: list[dict[str, str | None]] = []
    malformed = []
    with path.open(encoding="utf-8-sig") as file:
        for line, text in enumerate(file, 1):
            row = _parse(text)
            if row is not None:
                rows.append(row)
            elif text.strip():
                malformed.append(line)
    names = dict.fromkeys(name for row in rows for name in row)
    return Sheet({name: [row.get(name) for row in rows] for name in names}, malformed)


def _parse(text: str) -> dict[str, str | None] | None:
    """Return a JSON object's values as text; None of what is no such object."""
    try:
        return {key: as_text(value) for key, value in parse_object(text).items()}
    except ValueError:
        return None
