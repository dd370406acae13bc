"""Rows of CSV files, those that are damaged told apart."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Record:
    """One row of a file, which is not blank.

    Attributes:
        line: number of the line that it begins in, from 1.
        text: its lines as they are in the file.
        cells: its cells, as many as the header has; none if it is damaged.
        fault: what is wrong with it, null if nothing is.
    """

    line: int
    text: str
    cells: Sequence[str]
    fault: str | None


def read_records(path: Path, delimiter: str = ",") -> tuple[Record, list[Record]]:
    """Read a file: its header, without cells if the file is empty, and its rows.

    A quote that nothing closes takes the lines after it into its row: after a damaged row, reading
    goes on with the line after its first.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
    """
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = file.readlines()
    start = next((number for number, line in enumerate(lines) if line.strip("\r\n")), 0)
    reader = csv.reader(lines[start:], delimiter=delimiter)
    names = next(reader, [])
    end = start + reader.line_num
    header = Record(start + 1, "".join(lines[start:end]), names, None)
    return header, list(_records(lines, end, delimiter, len(names)))


def _records(lines: Sequence[str], start: int, delimiter: str, width: int) -> Iterator[Record]:
    def reader_from(first: int) -> Any:
        rest = (lines[line] for line in range(first, len(lines)))
        return csv.reader(rest, delimiter=delimiter, strict=True)

    reader, begin = reader_from(start), start
    while start < len(lines):
        cells, fault = _next_row(reader, width)
        end = begin + reader.line_num
        if fault is not None and end > start + 1:
            end = start + 1
            reader, begin = reader_from(end), end
        if cells or fault is not None:
            yield Record(start + 1, "".join(lines[start:end]), cells, fault)
        start = end


def _next_row(reader: Any, width: int) -> tuple[list[str], str | None]:
    """Return the next row, empty if it is blank or damaged, and what is wrong with it."""
    try:
        cells: list[str] = next(reader)
    except csv.Error:
        return [], "a quote inside a cell is not doubled, or not closed"
    if len(cells) in (0, width):
        return cells, None
    return [], f"{len(cells)} cells where the header has {width}"
