"""Files of delimited text: CSV, TSV and what else separates cells by one character."""

from __future__ import annotations

import csv
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa

from latentmap.errors import LatentmapError
from latentmap.samples.cells import stable_text
from latentmap.samples.tables.contents import Content
from latentmap.samples.tables.file import (
    BROKEN,
    CONTENT,
    Fault,
    Place,
    TableFile,
    broken,
    check_names,
    fault_of,
)
from latentmap.store.tables import strings

DELIMITERS = ",\t;|"
TAB_SUFFIXES = (".tsv", ".tab")

RECORDS_TRIED = 50
"""Rows by which the delimiter is told."""

ROWS_PER_PART = 2**14

StaysText = Callable[[str, Sequence[str]], bool]
"""Tells whether a column of numbers stays text, given its name and all names."""

WHOLE = r"^-?(0|[1-9][0-9]{0,17})$"
REAL = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
"""Numbers as they are written by programs: `007` and `+1` are none."""


class Record(NamedTuple):
    """One row of a file, which is not blank.

    Attributes:
        line: number of the line that it begins in, from 1.
        cells: its cells, as many as there are columns; none if it is damaged.
        fault: what is wrong with it, null if nothing is.
    """

    line: int
    cells: Sequence[str]
    fault: str | None


class Delimited(TableFile):
    """A file of delimited text, which is read once, as text, when it is opened.

    Columns are named by the first row, without the blanks around names; a column without a name is
    left out if it is empty. Without a header, and where a column has cells but no name, they are
    `column_1`, `column_2` and so on.

    Args:
        content: the file.
        header: whether its first row has the names of the columns.
        stays_text: of its columns.
    """

    def __init__(self, content: Content, header: bool, stays_text: StaysText) -> None:
        self._content = content
        self._header = header
        self._stays_text = stays_text
        self.schema = self._text.drop_columns(self._hidden).schema

    @property
    def doubt(self) -> str | None:
        """Whether names look like cells: numbers, or what their own column has further down."""
        rows = self._text.slice(0, RECORDS_TRIED)
        names = [name for name in rows.column_names if name not in self._hidden]
        like_cells = (re.match(REAL, name) or name in rows[name].to_pylist() for name in names)
        if not self._header or not any(like_cells):
            return None
        return (
            "If its first row is no header, set 'header' to false: the columns are 'column_1', "
            "'column_2' and so on then."
        )

    def __len__(self) -> int:
        return len(self._text)

    def scan(self, paths: Sequence[str]) -> Iterator[pa.Table]:
        """Yield all rows as text; see `TableFile.scan`."""
        for start in range(0, len(self), ROWS_PER_PART):
            part = self._text.slice(start, ROWS_PER_PART)
            yield _identified(part, part)

    def take(self, rows: Sequence[int], places: Mapping[int, Place] | None = None) -> pa.Table:
        """Read rows; see `TableFile.take`."""
        if max(rows, default=-1) >= len(self):
            raise IndexError(max(rows))
        positions = pa.array(rows, pa.int64())
        return _identified(self._typed.take(positions), self._text.take(positions))

    def table(self) -> pa.Table:
        """Read all rows; see `TableFile.table`."""
        return self._typed

    @cached_property
    def _text(self) -> pa.Table:
        """All rows; one that is damaged is null but for what is wrong with it."""
        with self._content.open_text() as lines:
            return _read(self._content, lines, self._header)

    @cached_property
    def _typed(self) -> pa.Table:
        """The same, with numbers where a column has nothing else and need not stay text."""
        table = self._text
        names = [name for name in table.column_names if name not in self._hidden]
        for place, name in enumerate(names):
            if not self._stays_text(name, names):
                table = table.set_column(place, name, _numbers(table[name]))
        return table

    @property
    def _hidden(self) -> list[str]:
        return [BROKEN] if BROKEN in self._text.column_names else []


def _identified(typed: pa.Table, text: pa.Table) -> pa.Table:
    """Return rows with what identifies them: their cells as they are written.

    So it makes no difference to a row whether all others have a number in a column, or are damaged.
    """
    rows = text.to_pylist()
    content = [stable_text(row.pop(BROKEN, None) or row) for row in rows]
    return typed.append_column(CONTENT, strings(content))


def read_records(lines: Iterator[str], delimiter: str, spaced: bool) -> Iterator[Record]:
    """Yield the rows of a file, blank ones left out.

    A quote that nothing closes takes the lines after it into its row: after a damaged row, reading
    goes on with the line after its first. The first row says how many cells a row has; empty ones
    beyond them do not count.

    Args:
        lines: of the file, with their ends.
        delimiter: between cells.
        spaced: whether a space after a delimiter belongs to it.
    """
    csv.field_size_limit(sys.maxsize)
    waiting: deque[str] = deque()
    used: list[str] = []

    def feed() -> Iterator[str]:
        while True:
            line = waiting.popleft() if waiting else next(lines, None)
            if line is None:
                return
            used.append(line)
            yield line

    def reader() -> Any:
        return csv.reader(feed(), delimiter=delimiter, strict=True, skipinitialspace=spaced)

    rows, number = reader(), 1
    width: int | None = None
    while True:
        cells, fault = _next_row(rows, width)
        if cells is None:
            return
        if fault is not None and len(used) > 1:
            waiting.extendleft(reversed(used[1:]))
            del used[1:]
            rows = reader()
        if cells or fault is not None:
            width = width or len(cells)
            yield Record(number, cells[:width], fault)
        number += len(used)
        used.clear()


def _next_row(reader: Any, width: int | None) -> tuple[list[str] | None, str | None]:
    """Return the next row, null at the end, empty if blank or damaged; and what is wrong."""
    try:
        cells: list[str] | None = next(reader, None)
    except csv.Error:
        return [], "a quote inside a cell is not doubled, or not closed"
    if not cells or width is None or len(cells) == width:
        return cells, None
    if not any(map(str.strip, cells)):
        return [], None
    if len(cells) > width and not any(map(str.strip, cells[width:])):
        return cells, None
    count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
    return [], f"{count} where the header has {width}"


def _read(content: Content, lines: Iterator[str], has_header: bool) -> pa.Table:
    """Read all rows as text, and what is wrong with them."""
    delimiter = tell_delimiter(content) or _usual(content)
    # `a, b` is written by hand: the space is no part of the cell.
    first = next(filter(str.strip, content.lines), "")
    is_spaced = first.count(delimiter) == first.count(delimiter + " ") > 0
    records = read_records(lines, delimiter, is_spaced)
    top = next(records, None)
    if top is None or top.fault is not None:
        reason = "it is empty" if top is None else f"line {top.line}: {top.fault}"
        raise LatentmapError(f"{content.path} is not a CSV table ({reason}). Correct it.")
    width = len(top.cells)
    names = [name.strip() for name in top.cells] if has_header else [""] * width
    columns: list[list[pa.Array]] = [[] for _ in names]
    faults: list[Fault | None] = []
    rest = records if has_header else chain([top], records)
    while part := list(islice(rest, ROWS_PER_PART)):
        empty = [None] * width
        by_column = zip(*(empty if row.fault else row.cells for row in part), strict=True)
        for column, cells in zip(columns, by_column, strict=True):
            column.append(strings(cells))
        faults += [Fault(line=row.line, fault=row.fault) if row.fault else None for row in part]
    kept = [
        place for place in range(width) if names[place] or not all(map(_is_blank, columns[place]))
    ]
    table = pa.Table.from_arrays(
        [pa.chunked_array(columns[place], pa.string()) for place in kept],
        names=[names[place] or f"column_{place + 1}" for place in kept],
    )
    doubt = ", or set 'header' to false if the first row is none"
    check_names(content.path, table.column_names, doubt)
    damaged = [fault for fault in faults if fault]
    if damaged and len(damaged) == len(faults):
        raise LatentmapError(
            f"{content.path} is not a CSV table ({fault_of(damaged[0])}). Correct it."
        )
    return table.append_column(BROKEN, broken(faults)) if damaged else table


def tell_delimiter(content: Content) -> str | None:
    """Return what separates the cells of a file: what gives the first rows the same length.

    Null if nothing separates anything.
    """
    found: dict[str, float] = {}
    for delimiter in dict.fromkeys(_usual(content) + DELIMITERS):
        rows = list(islice(csv.reader(content.lines, delimiter=delimiter), RECORDS_TRIED))
        widths = [len(row) for row in rows if row]
        if widths and widths[0] > 1:
            found[delimiter] = widths.count(widths[0]) / len(widths)
    return max(found, key=lambda delimiter: found[delimiter], default=None)


def _usual(content: Content) -> str:
    return "\t" if content.suffix in TAB_SUFFIXES else ","


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as numbers if it has nothing but numbers and empty cells."""
    cells = pl.Series(column.to_pylist(), dtype=pl.String)
    filled = cells.filter(cells != "")
    for pattern, kind in ((WHOLE, pl.Int64), (REAL, pl.Float64)):
        if len(filled) and filled.str.contains(pattern).all():
            return pa.chunked_array([cells.cast(kind, strict=False).to_arrow()])
    return column


def _is_blank(column: pa.Array) -> bool:
    return not any(cell and cell.strip() for cell in column.to_pylist())
