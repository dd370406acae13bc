"""Images in class folders, or beside a table of labels (CSV, JSON, Parquet or Arrow)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from latentmap.config import UserPath
from latentmap.errors import LatentmapError
from latentmap.samples.cells import cells
from latentmap.samples.columns import ColumnMap
from latentmap.samples.images import Images, unpack
from latentmap.samples.indexing import index_rows, index_table
from latentmap.samples.listing import Listing, list_files
from latentmap.samples.pictures import picture_suffixes
from latentmap.samples.raw import raw_samples
from latentmap.samples.remarks import NOTED, Remark, passed_over
from latentmap.samples.source import Source, TabularOptions
from latentmap.samples.splits import CANONICAL
from latentmap.samples.tables.rows import Rows

NO_IMAGE = "no images that Pillow can open here"
CONVERT = "Convert those that are images to PNG or JPEG; of others nothing has to be done."

NOT_SPLITS = "Set 'split_folders' to false if the splits are the labels."

CLASS_FOLDERS = pa.schema([("file_name", pa.string()), ("label", pa.string())])
"""The table that class folders give."""

SPLIT_FOLDERS = CLASS_FOLDERS.append(pa.field("split", pa.string()))
"""The same of class folders in folders of splits."""


class FolderColumns(ColumnMap):
    """The table that class folders give, and the usual layout of a table of labels.

    See `ColumnMap`; paths in `file_name` are relative to the folder.
    """

    id: str | None = "file_name"
    label: str | None = "label"
    image: str | tuple[str, ...] | None = "file_name"


class FolderOptions(TabularOptions):
    """Options of `folder`.

    Attributes:
        input: the folder of class folders or of images.
        labels: table of labels, a path inside the folder or a full one; without, the label of an
            image is the name of the topmost folder that it is in.
        split_folders: whether the topmost folders are splits, and the labels are the names of the
            folders in them; told by their names (`train`, `valid`, `test` and the like) by default.
        columns: which column of the table holds what.
    """

    labels: UserPath | None = None
    split_folders: bool | None = None
    columns: FolderColumns = FolderColumns()


class FolderSource(Source[FolderOptions]):
    """Image files of one folder."""

    Options = FolderOptions

    def __init__(self, options: FolderOptions, places: Mapping[int, Any] | None = None) -> None:
        super().__init__(options)
        self._places = places

    def with_places(self, places: Mapping[int, Any]) -> FolderSource:
        """Return the source that looks for no other images; see `Source.with_places`."""
        return FolderSource(self.options, places)

    @property
    def unlabelled_remedy(self) -> str:
        """See `Source.unlabelled_remedy`; in class folders the folders are the labels."""
        if self._labels is not None:
            return super().unlabelled_remedy
        return (
            "Put the images of each label into a folder of its own, or name a table of 'labels'; "
            "for images without labels set 'columns: {label: null}'."
        )

    def index(self) -> pl.DataFrame:
        """List all rows; see `Source.index`. Images are in the order of their paths."""
        if self._labels is not None:
            return index_table(self._rows, self.options.columns, self._images, str(self._labels))
        self.options.columns.check(self._table, str(self._folder))
        index = index_rows(self._table, self.options.columns, self._images)
        return index.with_columns(pl.Series("place", self._table.to_pylist()))

    def remarks(self) -> Sequence[Remark]:
        """Say which files are passed over; see `Source.remarks`."""
        remarks = self._listing.remarks(NO_IMAGE, CONVERT)
        if self._labels is not None and (unlabelled := self._without_row()):
            reason = f"{self._labels.name} has no row for them"
            remarks.append(
                passed_over("images", unlabelled, reason, "Add rows, if they are meant.")
            )
        if self._labels is None and self.options.split_folders is None and self._are_splits:
            splits = sorted({name.split("/")[0] for name in self._listing.names if "/" in name})
            count = len(self._listing.names)
            reason = f"in the splits {', '.join(splits)}, labelled by the folders inside them"
            remarks.append(Remark("images", count, reason, NOT_SPLITS, action=NOTED))
        return remarks

    def read(self, rows: Sequence[int]) -> pa.Table:
        """Read rows; see `Source.read`."""
        if self._labels is not None:
            table = self._rows.take(rows)
        elif self._places is None:
            table = self._table.take(pa.array(rows, pa.int64()))
        else:
            found = [self._places[row] for row in rows]
            has_split = any("split" in place for place in found)
            table = pa.Table.from_pylist(found, SPLIT_FOLDERS if has_split else CLASS_FOLDERS)
        return raw_samples(table, self.options.columns, self._images, rows)

    @cached_property
    def _images(self) -> Images:
        return Images(self._folder, follow_links=self.options.follow_links)

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
    def _listing(self) -> Listing:
        known = [] if self._labels is None else [self._labels]
        return list_files(self._folder, picture_suffixes(), self.options.follow_links, known)

    @cached_property
    def _table(self) -> pa.Table:
        return self._class_folders() if self._labels is None else self._rows.table()

    @cached_property
    def _rows(self) -> Rows:
        assert self._labels is not None
        if not self._labels.is_file():
            raise LatentmapError(f"{self._labels}: no such file. Check 'labels'.")
        return Rows([self._labels], self.options.columns.every_path, self.options.header)

    def _without_row(self) -> list[str]:
        """Return the images in the folder that no row of the table of labels names."""
        named = cells(self._table, self.options.columns.image_column(self._table.column_names))
        paths = filter(None, (unpack(cell)[1] for cell in named))
        known = {self._images.find(path) for path in paths}
        return [name for name in self._listing.names if self._images.find(name) not in known]

    def _class_folders(self) -> pa.Table:
        """List the images; one that is in no class folder has no label."""
        names = self._listing.names
        if not names:
            found = "; ".join(remark.in_short() for remark in self.remarks()) or "nothing"
            raise LatentmapError(
                f"{self._folder} holds {NO_IMAGE}. What is there: {found}. {CONVERT}"
            )
        parts = [name.split("/") for name in names]
        if not self._are_splits:
            labels = [part[0] if len(part) > 1 else None for part in parts]
            return pa.table([names, labels], schema=CLASS_FOLDERS)
        labels = [part[1] if len(part) > 2 else None for part in parts]
        splits = [part[0] if len(part) > 1 else None for part in parts]
        return pa.table([names, labels, splits], schema=SPLIT_FOLDERS)

    @cached_property
    def _are_splits(self) -> bool:
        """Whether the topmost folders are splits.

        Raises:
            LatentmapError: it cannot be told; asks for the option.
        """
        if self.options.split_folders is not None or not self.has_labels:
            return bool(self.options.split_folders)
        inside = [name.split("/") for name in self._listing.names if "/" in name]
        splits = sorted({part[0] for part in inside if part[0].lower() in CANONICAL})
        others = {part[0] for part in inside}.difference(splits)
        directly = ["/".join(part) for part in inside if len(part) == 2 and part[0] in splits]
        if not splits or (others and len(splits) == 1):
            return False
        if not others and not directly:
            return True
        beside = (
            f"beside the folder {min(others)}" if others else f"with images such as {directly[0]}"
        )
        raise LatentmapError(
            f"{self._folder}: {', '.join(splits)} may be splits or labels ({beside}). Set "
            "'split_folders' to true to take the folders in them as labels, or to false to take "
            "themselves."
        )
