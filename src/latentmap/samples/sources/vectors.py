"""Vectors that are there already: an .npy or .npz file, or a table with a column of lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import polars as pl
import pyarrow as pa

from latentmap.config import UserPath
from latentmap.errors import LatentmapError
from latentmap.samples.cells import stable_text
from latentmap.samples.clean import CACHE, CACHE_ROW, ORIGINS
from latentmap.samples.columns import ColumnMap, extra_name, index_rows, raw_samples
from latentmap.samples.images import Images
from latentmap.samples.remarks import Remark, passed_over
from latentmap.samples.source import Content, Source, TabularOptions
from latentmap.samples.tables.file import BROKEN, CONTENT, broken
from latentmap.samples.vectors import Chosen, Vectors, read_labels, read_vectors
from latentmap.store.files import digest

IDS = ("id", "ids")
"""Columns that ids are taken from, should there be one and none be mapped."""


class VectorColumns(ColumnMap):
    """The columns beside the vectors; see `ColumnMap`."""

    label: str | None = "label | labels"


class VectorsOptions(TabularOptions):
    """Options of `vectors`; its `input` is the file.

    Attributes:
        vectors: what holds the vectors: an array, a column of lists, the beginning of the names of
            numbered columns (`x` of `x0`, `x1`, …), or a list of columns; looked for by default.
        labels: a table, or an `.npy` array of labels, with a row for each vector; a path beside the
            file or a full one.
        columns: which column holds what; an id that is not mapped is in `id` or `ids`, else it is
            `{name}:{row}`.
    """

    vectors: Chosen = None
    labels: UserPath | None = None
    columns: VectorColumns = VectorColumns()


class VectorsSource(Source[VectorsOptions]):
    """Rows of one file; the extra columns `cache` and `cache_row` say where a vector is."""

    Options = VectorsOptions

    @property
    def gives(self) -> frozenset[Content]:
        """See `Source.gives`."""
        return super().gives | {"vectors"}

    def index(self) -> pl.DataFrame:
        """List all rows; see `Source.index`."""
        self._columns.check(self._table, str(self._path))
        return index_rows(self._table, self._columns, self._images, prefix=f"{self.name}:")

    def read(self, rows: Sequence[int]) -> pa.Table:
        """Read rows; see `Source.read`. One without a vector that can be used has a fault."""
        table = self._table.take(pa.array(rows, pa.int64()))
        origins, prefix = [CACHE, CACHE_ROW], f"{self.name}:"
        return raw_samples(table, self._columns, self._images, rows, prefix, origins)

    def remarks(self) -> Sequence[Remark]:
        """Say which arrays are passed over; see `Source.remarks`."""
        reason = f"they have no value for each of the {len(self._table):,} vectors"
        missed = self._vectors.missed
        return [passed_over("arrays", missed, reason, "Nothing has to be done.")] if missed else []

    @property
    def _path(self) -> Path:
        return self.input_file("a .npy or .npz file, or a table, of vectors")

    @property
    def _images(self) -> Images:
        return Images(self._path.parent, required=False, follow_links=self.options.follow_links)

    @property
    def _columns(self) -> ColumnMap:
        columns = self.options.columns
        known = [name for name in IDS if name in self._table.column_names]
        return columns if columns.id or not known else columns.model_copy(update={"id": known[0]})

    @cached_property
    def _vectors(self) -> Vectors:
        options = self.options
        return read_vectors(self._path, options.vectors, options.columns.every_path, options.header)

    @cached_property
    def _table(self) -> pa.Table:
        """What is known of each vector, where it is, and what identifies it."""
        vectors = self._vectors
        faults, where = vectors.faults(), str(self._path)
        columns = dict(self._named())
        known = pa.table(columns).to_pylist() if columns else [{}] * len(faults)
        content = [
            digest(where, stable_text(row), vector.tobytes())
            for row, vector in zip(known, vectors.embeddings, strict=True)
        ]
        columns[CACHE] = pa.array([where] * len(faults), pa.string())
        columns[CACHE_ROW] = pa.array(range(len(faults)), pa.int64())
        return pa.table({**columns, CONTENT: content, BROKEN: broken(faults)})

    def _named(self) -> Iterator[tuple[str, pa.ChunkedArray]]:
        """Yield the columns beside the vectors, those of the labels' file first."""
        count = len(self._vectors.embeddings)
        beside = {} if self.options.labels is None else self._beside(self.options.labels)
        for name, column in {**self._vectors.columns, **beside}.items():
            if len(column) != count:
                raise LatentmapError(
                    f"{self.options.labels} has {len(column):,} rows for the {count:,} vectors of "
                    f"{self._path}. Give one for each."
                )
            yield extra_name(name, ORIGINS), column

    def _beside(self, labels: str) -> Mapping[str, pa.ChunkedArray]:
        path = self._path.parent / labels
        if not path.is_file():
            raise LatentmapError(f"{path}: no such file. Check 'labels'.")
        return read_labels(path, self.options.header)
