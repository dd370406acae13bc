"""What sources of texts in tables share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import pyarrow as pa

from latentmap.samples.columns import ColumnMap
from latentmap.samples.images import Images
from latentmap.samples.indexing import index_table
from latentmap.samples.raw import raw_samples
from latentmap.samples.source import Source, TabularOptions
from latentmap.samples.tables.rows import READ, Rows
from latentmap.samples.texts import TextSourceOptions


class TextTableOptions(TextSourceOptions, TabularOptions):
    """Options of every source of texts in a table.

    Attributes:
        input: the table.
        columns: which column holds what; an id that is not mapped is `{name}:{row}`, of JSON lines
            `{name}:{line}`.
    """

    columns: ColumnMap


T_co = TypeVar("T_co", bound=TextTableOptions, covariant=True)


class TextTableSource(Source[T_co]):
    """Rows of one file; of JSON lines, blank ones do not count."""

    def __init__(self, options: T_co, places: Mapping[int, Any] | None = None) -> None:
        super().__init__(options)
        self._places = places

    def with_places(self, places: Mapping[int, Any]) -> TextTableSource[T_co]:
        """Return the source that goes to these lines at once; see `Source.with_places`."""
        return type(self)(self.options, places)

    def index(self) -> pl.DataFrame:
        """List all rows; see `Source.index`."""
        columns, same = self.options.columns, self.options.deduplicate
        origin = str(self._path)
        return index_table(self._rows, columns, self._images, origin, self._prefix, same)

    def read(self, rows: Sequence[int]) -> pa.Table:
        """Read rows; see `Source.read`."""
        table = self._rows.take(rows, self._places)
        return raw_samples(table, self.options.columns, self._images, rows, self._prefix)

    @property
    def _path(self) -> Path:
        return self.input_file(READ)

    @cached_property
    def _rows(self) -> Rows:
        return Rows([self._path], self.options.columns.every_path, self.options.header)

    @property
    def _images(self) -> Images:
        return Images(self._path.parent, required=False, follow_links=self.options.follow_links)

    @property
    def _prefix(self) -> str:
        return f"{self.name}:"
