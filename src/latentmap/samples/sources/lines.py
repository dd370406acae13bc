"""Plain text, one prompt or output a line."""

from __future__ import annotations

from functools import cached_property

from latentmap.samples.columns import ColumnMap
from latentmap.samples.tables.objects import TEXT, TextLines
from latentmap.samples.tables.rows import Rows
from latentmap.samples.text_tables import TextTableOptions, TextTableSource


class LineColumns(ColumnMap):
    """Lines have nothing but their text; a label in quotes is that of all; see `ColumnMap`."""

    text: str | tuple[str, ...] | None = TEXT


class LinesOptions(TextTableOptions):
    """Options of `lines`; see `TextTableOptions`."""

    columns: LineColumns = LineColumns()


class LinesSource(TextTableSource[LinesOptions]):
    """Lines of one file, which need no header; blank ones do not count."""

    Options = LinesOptions

    @cached_property
    def _rows(self) -> Rows:
        return Rows([self._path], kind=TextLines)
