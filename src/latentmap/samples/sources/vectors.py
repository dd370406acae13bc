"""Vectors that are there already: an .npy or .npz file, or a table with a column of lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path

import polars as pl
import pyarrow as pa

from latentmap.config import UserPath
from latentmap.errors import LatentmapError
from latentmap.samples.cached_rows import THUMBNAIL
from latentmap.samples.cells import stable_text
from latentmap.samples.clean import CACHE, CACHE_ROW, ORIGINS
from latentmap.samples.columns import ColumnMap
from latentmap.samples.images import Images
from latentmap.samples.indexing import index_rows
from latentmap.samples.raw import extra_name, raw_samples
from latentmap.samples.remarks import Remark, passed_over
from latentmap.samples.source import Content, Source, TabularOptions
from latentmap.samples.tables.file import BROKEN, CONTENT, broken
from latentmap.samples.vectors import Chosen, Vectors, read_labels, read_vectors
from latentmap.store.files import digest

KNOWN = {
    "id": ("id", "ids"),
    "label_group": ("label_group",),
    "source_group": ("source_group",),
    "text": ("text",),
    "image": (THUMBNAIL,),
}
"""Columns that are taken for these, where there is one and none is mapped."""


class VectorColumns(ColumnMap):
    """The columns beside the vectors; see `ColumnMap`.

    `qa_category` is the label in the `.npz` files of `snakemake exports`.
    """

    label: str | None = "label | labels | qa_category"


class VectorsOptions(TabularOptions):
    """Options of `vectors`.

    Attributes:
        input: an `.npy` file (N, D), an `.npz` file with `embeddings`, a folder with
            `embeddings.npy`, or a table of vectors.
        vectors: what holds the vectors: an array, a column of lists, the beginning of the names of
            numbered columns (`x` of `x0`, `x1`, …), or a list of columns; looked for by default.
        labels: a table, or an `.npy` array of labels, with a row for each vector; a path beside the
            file or a full one.
        columns: which column holds what; an id that is not mapped is in `id` or `ids`, else it is
            `{name}:{row}`; `label_group`, `source_group`, `text` and the `thumbnail` of an export
            are read where they are there.
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
        table = self._take(range(len(self._vectors.embeddings)))
        self._columns.check(table, str(self._path))
        return index_rows(table, self._columns, self._images, prefix=f"{self.name}:")

    def read(self, rows: Sequence[int]) -> pa.Table:
        """Read rows; see `Source.read`. One without a vector that can be used has a fault."""
        origins, prefix = [CACHE, CACHE_ROW], f"{self.name}:"
        return raw_samples(self._take(rows), self._columns, self._images, rows, prefix, origins)

    def remarks(self) -> Sequence[Remark]:
        """Say which arrays are passed over; see `Source.remarks`."""
        reason = f"they have no value for each of the {len(self._vectors.embeddings):,} vectors"
        missed = self._vectors.missed
        return [passed_over("arrays", missed, reason, "Nothing has to be done.")] if missed else []

    @property
    def _path(self) -> Path:
        given = Path(self.given_input("a .npy or .npz file, a folder of them, or a table"))
        if not given.exists():
            raise LatentmapError(f"{given}: no such file. Check 'input'.")
        return given

    @property
    def _images(self) -> Images:
        return Images(self._path.parent, required=False, follow_links=self.options.follow_links)

    @property
    def _columns(self) -> ColumnMap:
        columns, there = self.options.columns, self._beside_vectors
        found = {
            role: next((name for name in names if name in there), None)
            for role, names in KNOWN.items()
            if role not in columns.model_fields_set
        }
        if columns.label is None:
            found.pop("label_group", None)
        return columns.model_copy(update=found)

    @cached_property
    def _vectors(self) -> Vectors:
        options = self.options
        return read_vectors(self._path, options.vectors, self._texts, options.header)

    def _take(self, rows: Sequence[int]) -> pa.Table:
        """Return what is known of some vectors, where they are, and what identifies them."""
        positions, where = pa.array(rows, pa.int64()), str(self._path)
        columns = {name: column.take(positions) for name, column in self._beside_vectors.items()}
        known = pa.table(columns).to_pylist() if columns else [{}] * len(rows)
        vectors = self._vectors.embeddings
        content = [
            digest(where, stable_text(values), vectors[row].tobytes())
            for row, values in zip(rows, known, strict=True)
        ]
        columns[CACHE] = pa.array([where] * len(rows), pa.string())
        columns[CACHE_ROW] = positions
        faults = broken(self._vectors.faults()).take(positions)
        return pa.table({**columns, CONTENT: content, BROKEN: faults})

    @cached_property
    def _beside_vectors(self) -> dict[str, pa.ChunkedArray]:
        """The columns beside the vectors, those of the labels' file first."""
        count = len(self._vectors.embeddings)
        beside = {} if self.options.labels is None else self._beside(self.options.labels)
        found = {**self._vectors.columns, **beside}
        for column in found.values():
            if len(column) != count:
                raise LatentmapError(
                    f"{self.options.labels} has {len(column):,} rows for the {count:,} vectors of "
                    f"{self._path}. Give one for each."
                )
        return {extra_name(name, ORIGINS): column for name, column in found.items()}

    def _beside(self, labels: str) -> Mapping[str, pa.ChunkedArray]:
        path = self._path.parent / labels
        if not path.is_file():
            raise LatentmapError(f"{path}: no such file. Check 'labels'.")
        return read_labels(path, self._texts, self.options.header)

    @property
    def _texts(self) -> list[str]:
        """Columns whose cells are no numbers, though they may look like some."""
        return [*self.options.columns.every_path, *chain(*KNOWN.values())]
