"""Images in class folders, or beside a CSV or Parquet table of labels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import polars as pl
import pyarrow as pa

from latentmap.config import UserPath
from latentmap.errors import LatentmapError
from latentmap.samples.columns import ColumnMap, index_rows, raw_samples
from latentmap.samples.images import Images
from latentmap.samples.rows import Rows
from latentmap.samples.source import Source, SourceOptions

IMAGE_SUFFIXES = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)


class FolderColumns(ColumnMap):
    """The table that class folders give, and the usual layout of a table of labels.

    See `ColumnMap`; paths in `file_name` are relative to the folder.
    """

    id: str | None = "file_name"
    label: str | None = "label"
    image: str | tuple[str, ...] | None = "file_name"


class FolderOptions(SourceOptions):
    """Options of `folder`; its `input` is the folder of images.

    Attributes:
        labels: CSV or Parquet table of labels, a path inside the folder or a full one; without,
            the label of an image is the name of the topmost folder that it is in.
        columns: which column of the table holds what.
    """

    labels: UserPath | None = None
    columns: FolderColumns = FolderColumns()


class FolderSource(Source[FolderOptions]):
    """Image files of one folder."""

    Options = FolderOptions

    def index(self) -> pl.DataFrame:
        """List all rows; see `Source.index`. Images are in the order of their paths."""
        self.options.columns.check(self._table, str(self._labels or self._folder))
        return index_rows(self._table, self.options.columns, Images(self._folder))

    def read(self, rows: Sequence[int]) -> pa.Table:
        """Read rows; see `Source.read`. An image that cannot be had is empty, not null."""
        table = self._table.take(pa.array(rows, pa.int64()))
        return raw_samples(table, self.options.columns, Images(self._folder), rows)

    @cached_property
    def _folder(self) -> Path:
        folder = Path(self.given_input("a folder of images"))
        if not folder.is_dir():
            raise LatentmapError(f"{folder}: no such folder. Check 'input'.")
        return folder

    @property
    def _labels(self) -> Path | None:
        if self.options.labels is None:
            return None
        return self._folder / self.options.labels

    @cached_property
    def _table(self) -> pa.Table:
        if self._labels is None:
            return _class_folders(self._folder)
        if not self._labels.is_file():
            raise LatentmapError(f"{self._labels}: no such file. Check 'labels'.")
        return pa.concat_tables(Rows([self._labels], self.options.columns))


def _class_folders(folder: Path) -> pa.Table:
    """List the images below a folder; an image that is in no class folder has no label."""
    names = sorted(path.relative_to(folder).as_posix() for path in _images(folder))
    if not names:
        raise LatentmapError(f"{folder} holds no images ({', '.join(sorted(IMAGE_SUFFIXES))}).")
    for name in names:
        if not _is_text(name):
            raise LatentmapError(f"{folder}: the file name {name!r} is not UTF-8. Rename it.")
    labels = [name.split("/")[0] if "/" in name else None for name in names]
    return pa.table({"file_name": names, "label": pa.array(labels, pa.string())})


def _images(folder: Path) -> Iterator[Path]:
    """Yield the images below a folder that are not hidden, through links too, in any order.

    What cannot be looked at, such as a link to nothing, counts as a file: its row is set aside.
    """
    for name, folders, files in os.walk(folder, onerror=_refuse, followlinks=True):
        here = Path(name)
        above = {here.resolve(), *(p.resolve() for p in here.parents if p.is_relative_to(folder))}
        # A link that leads back to a folder above it has no end.
        folders[:] = [
            inner for inner in folders if inner[0] != "." and (here / inner).resolve() not in above
        ]
        paths = (here / file for file in files if file[0] != ".")
        yield from filter(_can_be_image, paths)


def _refuse(error: OSError) -> None:
    raise LatentmapError(f"{error.filename}: {error.strerror}. Make it readable, or move it away.")


def _can_be_image(path: Path) -> bool:
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        return False
    # Not `Path.is_file`, which fails where a file may not be looked at: that is no reason to stop.
    return os.path.isfile(path) or not os.path.exists(path)  # noqa: PTH110, PTH113


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
