"""Rows of a Parquet, Arrow or CSV table: texts with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import polars as pl
import pyarrow as pa

from latentmap.samples.columns import ColumnMap, index_rows, raw_samples, texts
from latentmap.samples.images import Images
from latentmap.samples.rows import BROKEN, Rows
from latentmap.samples.source import FAULT, FileOptions, Source
from latentmap.samples.texts import TextSourceOptions, contents


class TableColumns(ColumnMap):
    """A table of texts with labels; see `ColumnMap`."""

    label: str | None = "label"
    text: str | tuple[str, ...] | None = "text"


class TableOptions(TextSourceOptions, FileOptions):
    """Options of `table`; its `input` is the file.

    Attributes:
        columns: which column holds what; an id that is not mapped is `{name}:{row}`.
    """

    columns: TableColumns = TableColumns()


class TableSource(Source[TableOptions]):
    """Rows of one file."""

    Options = TableOptions

    def index(self) -> pl.DataFrame:
        """List all rows; see `Source.index`."""
        columns, same = self.options.columns, self.options.deduplicate
        parts: list[pl.DataFrame] = []
        first = 0
        for part_of_file in self._rows:
            table, _ = _apart(part_of_file)
            if first == 0:
                columns.check(table, str(self._path))
            part = index_rows(table, columns, self._images(), first, prefix=self._prefix)
            if same:
                content = contents(texts(table, columns), same)
                part = part.with_columns(pl.Series("content", content, pl.String))
            parts.append(part)
            first += len(table)
        return pl.concat(parts)

    def read(self, rows: Sequence[int]) -> pa.Table:
        """Read rows; see `Source.read`."""
        table, faults = _apart(self._rows.take(rows))
        raw = raw_samples(table, self.options.columns, self._images(), rows, self._prefix)
        return raw if faults is None else raw.append_column(FAULT, faults)

    @property
    def _path(self) -> Path:
        return self.input_file("a Parquet, Arrow or CSV file")

    @cached_property
    def _rows(self) -> Rows:
        return Rows([self._path], self.options.columns, keep_broken=True)

    def _images(self) -> Images:
        return Images(self._path.parent, False, self.options.follow_links)

    @property
    def _prefix(self) -> str:
        return f"{self.name}:"


def _apart(table: pa.Table) -> tuple[pa.Table, pa.ChunkedArray | None]:
    """Return rows without what is wrong with them, and this; null where no row is damaged."""
    if BROKEN not in table.column_names:
        return table, None
    return table.drop_columns([BROKEN]), table[BROKEN]
