"""A NumPy cache of latents with their metadata and thumbnails, which skips encoding."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from latentmap.errors import LatentmapError
from latentmap.samples.cached_rows import THUMBNAIL, json_list, tabulate
from latentmap.samples.clean import LATENT_ROW
from latentmap.samples.columns import ColumnMap
from latentmap.samples.images import Images
from latentmap.samples.indexing import index_rows
from latentmap.samples.raw import raw_samples
from latentmap.samples.remarks import Remark, passed_over
from latentmap.samples.source import FAULT, Content, FileOptions, Source
from latentmap.store.arrays import (
    UNREADABLE,
    ArrayRows,
    finite_rows,
    is_archive,
    open_archive,
    read_text,
)
from latentmap.store.files import digest_file

ARRAYS = ("latents", "metadata", "thumbnails")
"""Arrays of a cache that are read."""

NOT_FINITE = "its latent has values that are not finite"

ROWS_AT_ONCE = 64


class NpzColumns(ColumnMap):
    """The keys of the cache's metadata, and its thumbnails; see `ColumnMap`.

    Boxes are pixels or fractions of the thumbnail. What `snakemake exports` writes of a sample is
    read by default where it is there: `label_group`, `source_group`, `text` and `boxes`.
    """

    id: str | None = "id"
    label: str | None = "qa_category | label | labels"
    label_group: str | None = "label_group"
    source_group: str | None = "source_group"
    text: str | tuple[str, ...] | None = "text"
    boxes: str | None = "boxes"
    image: str | tuple[str, ...] | None = THUMBNAIL

    def found_in(self, names: Sequence[str]) -> NpzColumns:
        """Return the mapping without what no key of a cache has and nobody asked for."""
        missing = [
            role
            for role in ("label_group", "source_group", "text", "boxes")
            if role not in self.model_fields_set and getattr(self, role) not in names
        ]
        if self.label is None and "label_group" not in self.model_fields_set:
            missing.append("label_group")
        return self.model_copy(update=dict.fromkeys(missing))


class NpzOptions(FileOptions):
    """Options of `npz`.

    Attributes:
        input: the `.npz` file with `latents` (N, C, H, W), `metadata` (the text of a JSON list of N
            objects) and, optionally, `thumbnails` (the text of a JSON list of N images in base 64).
        columns: which key of the metadata holds what.
    """

    columns: NpzColumns = NpzColumns()


class NpzSource(Source[NpzOptions]):
    """Rows of a cache; the extra column `npz_row` says which row of `latents` belongs to it."""

    Options = NpzOptions

    @property
    def gives(self) -> frozenset[Content]:
        """See `Source.gives`. Boxes are mapped by default, and there only if a key has them."""
        found: frozenset[Content] = super().gives | {"latents"}
        try:
            return found if self._columns.boxes else found - {"boxes"}
        except LatentmapError:
            return found  # said when its rows are listed

    def index(self) -> pl.DataFrame:
        """List all rows; see `Source.index`. The latents are not read."""
        table, columns = self._table, self._columns
        columns.check(table, str(self._path))
        return index_rows(table, columns, self._images(), 0, self._digest)

    def read(self, rows: Sequence[int]) -> pa.Table:
        """Read rows; see `Source.read`. The image is the thumbnail, null if there is none.

        A row whose latent is not finite is set aside.
        """
        table = self._table.take(pa.array(rows, pa.int64()))
        columns = self._columns
        images, file = self._images(), [self._digest]
        raw = raw_samples(table, columns, images, rows, origins=[LATENT_ROW], context=file)
        faults = [None if finite else NOT_FINITE for finite in self._are_finite(rows)]
        return raw.append_column(FAULT, pa.array(faults, pa.string()))

    def remarks(self) -> Sequence[Remark]:
        """Say which arrays of the file are not read; see `Source.remarks`."""
        with open_archive(self._path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
        others = [name for name in names if name not in ARRAYS]
        remedy = "Nothing has to be done."
        return [passed_over("arrays", others, "not read", remedy)] if others else []

    def _are_finite(self, rows: Sequence[int]) -> list[bool]:
        """Return which of these rows have a latent without NaN and infinity, in float32."""
        found: list[bool] = []
        try:
            with open_archive(self._path) as archive, np.errstate(over="ignore"):
                latents = ArrayRows(archive, "latents")
                for start in range(0, len(rows), ROWS_AT_ONCE):
                    part = latents.read(rows[start : start + ROWS_AT_ONCE]).astype(np.float32)
                    found += finite_rows(part).tolist()
        except UNREADABLE as error:
            raise self._refuse(error) from None
        return found

    @cached_property
    def _columns(self) -> NpzColumns:
        return self.options.columns.found_in(self._table.column_names)

    def _images(self) -> Images:
        return Images(self._path.parent, required=False, follow_links=self.options.follow_links)

    @property
    def _path(self) -> Path:
        return self.input_file("a .npz file")

    @cached_property
    def _digest(self) -> str:
        return digest_file(self._path)  # the archive's tail has the checksum of every array

    @cached_property
    def _table(self) -> pa.Table:
        """One row per latent: the metadata's keys, the decoded thumbnail, and `npz_row`."""
        path = self._path
        if not is_archive(path):
            raise LatentmapError(f"{path} is not a complete .npz file. Give another.")
        try:
            with open_archive(path) as archive:
                rows = _latent_rows(archive)
                metadata = json_list("metadata", read_text(archive, "metadata"))
                has_thumbnails = "thumbnails.npy" in archive.namelist()
                text = read_text(archive, "thumbnails") if has_thumbnails else ""
                thumbnails = json_list("thumbnails", text)
        except UNREADABLE as error:
            raise self._refuse(error) from None
        thumbnails = thumbnails or [None] * rows
        if not rows == len(metadata) == len(thumbnails):
            raise LatentmapError(
                f"{path} has {rows} latents, {len(metadata)} rows of metadata and "
                f"{len(thumbnails)} thumbnails. Make the cache again."
            )
        table = tabulate(metadata, thumbnails)
        return table.append_column(LATENT_ROW, pa.array(range(rows), pa.int64()))

    def _refuse(self, error: Exception) -> LatentmapError:
        reason = " ".join(str(error).split())
        return LatentmapError(
            f"{self._path} is not a cache of latents ({reason}). It needs arrays 'latents' and "
            "'metadata' that load without pickle."
        )


def _latent_rows(archive: zipfile.ZipFile) -> int:
    """Read the number of latents from the header of their array."""
    latents = ArrayRows(archive, "latents")
    if len(latents.shape) < 2 or 0 in latents.shape[1:]:
        raise ValueError(f"'latents' has shape {latents.shape} of {latents.dtype}")
    return latents.shape[0]
