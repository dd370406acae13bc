"""A table of samples, beside arrays that have a row for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import polars as pl
import pyarrow as pa

from latentmap.samples.clean import CACHE_ROW
from latentmap.samples.columns import ColumnMap
from latentmap.samples.images import Images
from latentmap.samples.indexing import index_rows
from latentmap.samples.raw import raw_samples
from latentmap.samples.source import Content, FileOptions, Source
from latentmap.samples.tables.rows import READ, Rows


class ArraysOptions(FileOptions):
    """Options of `arrays`.

    Attributes:
        input: the table, whose rows are those of the arrays that encoders of kind `arrays` read.
        columns: which column holds what.
    """

    columns: ColumnMap = ColumnMap(id="id")


class ArraysSource(Source[ArraysOptions]):
    """Rows of a table; the extra column `cache_row` says which row of every array is a sample's."""

    Options = ArraysOptions
    needs_labels = False

    @property
    def gives(self) -> frozenset[Content]:
        """See `Source.gives`."""
        return super().gives | {"latents", "vectors"}

    def index(self) -> pl.DataFrame:
        """List all rows; see `Source.index`."""
        table, columns = self._take(range(len(self._rows))), self.options.columns
        columns.check(table, str(self._path))
        return index_rows(table, columns, self._images)

    def read(self, rows: Sequence[int]) -> pa.Table:
        """Read rows; see `Source.read`."""
        table, columns = self._take(rows), self.options.columns
        return raw_samples(table, columns, self._images, rows, origins=[CACHE_ROW])

    def _take(self, rows: Sequence[int]) -> pa.Table:
        return self._rows.take(rows).append_column(CACHE_ROW, pa.array(rows, pa.int64()))

    @property
    def _path(self) -> Path:
        return self.input_file(READ)

    @cached_property
    def _rows(self) -> Rows:
        return Rows([self._path], self.options.columns.every_path)

    @property
    def _images(self) -> Images:
        return Images(self._path.parent, required=False, follow_links=self.options.follow_links)
