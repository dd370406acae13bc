"""Rows of a table of texts with their labels: Parquet, Arrow, CSV, TSV or JSON."""

from __future__ import annotations

from latentmap.samples.columns import ColumnMap
from latentmap.samples.text_tables import TextTableOptions, TextTableSource


class TableColumns(ColumnMap):
    """A table of texts with labels; see `ColumnMap`."""

    label: str | None = "label"
    text: str | tuple[str, ...] | None = "text"


class TableOptions(TextTableOptions):
    """Options of `table`; see `TextTableOptions`."""

    columns: TableColumns = TableColumns()


class TableSource(TextTableSource[TableOptions]):
    """Rows of one file, with columns `text` and `label`."""

    Options = TableOptions
