"""What a source of samples is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.config import Options, Plugin, Registry, UserPath
from latentmap.errors import LatentmapError
from latentmap.names import SourceName
from latentmap.samples.boxes import CORNERS_IN_PIXELS, BoxFormat, BoxOptions, all_boxes, judge_boxes
from latentmap.samples.pictures import picture_size
from latentmap.samples.remarks import Remark
from latentmap.store.samples import BOXES, evenly_spaced

# What `Source.read` returns, before anything is checked; extra columns of the source follow.
RAW_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("label", pa.string()),
        pa.field("label_group", pa.string()),
        pa.field("source_group", pa.string()),
        pa.field("text", pa.string()),
        pa.field("boxes", BOXES),
        pa.field("image", pa.large_binary()),
        pa.field("digest", pa.string(), nullable=False),
    ]
)

Content = Literal["images", "texts", "boxes", "latents", "vectors"]
"""What the samples of a source may have, and an encoder or a pooling method may need."""

FAULT = "fault"
"""Extra column of raw rows: why the source itself sets a row aside, null where it does not."""

NO_IMAGE = "no_image"
"""Extra column of raw rows: a `FaultError` as values where an image cannot be had, else null."""

FAULT_TYPE = pa.struct([pa.field(name, pa.string()) for name in ("code", "reason", "remedy")])
"""Type of that column."""

NOTE = "note_of_source"
"""Extra column of raw rows: what a reader of the data should know of a row that is used."""

REPLACED = "replaced_in_names"
"""Extra column of raw rows: which names held what charts cannot show, null where none did."""

NOTES = (FAULT, NO_IMAGE, NOTE, REPLACED)
"""Extra columns of raw rows that no sample keeps; each is there where it says something."""


class SourceOptions(Options):
    """Options of every source.

    Attributes:
        name: value of the samples' `source` column; the kind by default.
        input: where the data is; the run's own `input` by default.
    """

    name: SourceName = ""
    input: UserPath | None = None


class FileOptions(SourceOptions):
    """Options of every source that reads files of others.

    Attributes:
        follow_links: take what links lead to outside the folder of the data, too.
        boxes: in which unit and layout boxes are; judged over all of them by default.
    """

    follow_links: bool = False
    boxes: BoxOptions = BoxOptions()


class TabularOptions(FileOptions):
    """Options of every source that reads tables of others.

    Attributes:
        header: whether the first row of a CSV file names its columns; they are `column_1`,
            `column_2` and so on if not.
    """

    header: bool = True


PICTURES_LOOKED_AT = 200
"""Images whose sizes help to tell how boxes are given."""

S_co = TypeVar("S_co", bound=SourceOptions, covariant=True)


class Source(Plugin[S_co]):
    """A place that samples come from.

    A source is asked twice: for its `index` when a run is planned (cheap: no image is decoded, no
    network is used), and to `read` the rows of one shard in that shard's own job. The job is told
    where these rows lie (`with_places`), so that it need not look at the rows of other shards.

    Attributes:
        needs_labels: whether a row without a label is set aside, where it `has_labels` at all.
    """

    Options: type[SourceOptions] = SourceOptions
    needs_labels: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """Value of the samples' `source` column: the configured name, or the kind."""
        return self.options.name or self.kind

    def given_input(self, what: str) -> str:
        """Return `input`, which must be `what`.

        Raises:
            LatentmapError: it is not set.
        """
        if not self.options.input:
            raise LatentmapError(f"{self.kind}: set 'input' to {what}.")
        return self.options.input

    def input_file(self, what: str) -> Path:
        """Return the file that `input` names, which must be `what`.

        Raises:
            LatentmapError: it is not set, or there is no such file.
        """
        path = Path(self.given_input(what))
        if path.is_dir():
            raise LatentmapError(f"{path} is a folder. Set 'input' to {what}.")
        if not path.is_file():
            raise LatentmapError(f"{path}: no such file. Check 'input'.")
        return path

    def download_to(self, path: Path) -> None:
        """Fetch a remote source into one local file; only called if `is_remote`."""
        raise NotImplementedError

    def local(self, path: Path | str) -> Source[S_co]:
        """Return the source that reads what `download_to` wrote; only called if `is_remote`."""
        raise NotImplementedError

    def revision(self) -> str:
        """Return what a remote source depends on beyond its options; another one fetches it anew.

        Raises:
            LatentmapError: the source is not there.
        """
        return ""

    @property
    def has_labels(self) -> bool:
        """Whether samples have labels; where `columns.label` is null, none has."""
        columns = getattr(self.options, "columns", None)
        return columns is None or columns.label is not None

    @property
    def gives(self) -> frozenset[Content]:
        """What its samples may have, as far as the mapping of its columns tells."""
        columns = getattr(self.options, "columns", None)
        mapped: dict[Content, Any] = {
            "images": getattr(columns, "image", None),
            "texts": getattr(columns, "text", None),
            "boxes": getattr(columns, "boxes", None),
        }
        return frozenset(content for content, path in mapped.items() if path)

    @property
    def unlabelled_remedy(self) -> str:
        """What to do if none of its rows has a label."""
        return "Set 'columns.label' to the column that has it, or to null for data without labels."

    @property
    def is_remote(self) -> bool:
        """Whether the source must be downloaded before it has an index."""
        return False

    @abstractmethod
    def index(self) -> pl.DataFrame:
        """List all rows in the source's order.

        Returns:
            id (string, null where the row has none), label (string, null where the row has none or
            cannot be used: it takes no id from a later one; "" where the source `has_labels` not)
            and digest (string: identifies the
            content of the row, image and boxes included). A source that is to be deduplicated adds
            content (string, null where the row has none): of rows with the same content, whatever
            their source, the first one is taken. A source with boxes adds boxes (lists of lists of
            numbers, as they are given; null where there is something else). A source whose rows
            take a search to find adds place (plain values): where each of them lies.

        Raises:
            LatentmapError: the source cannot be opened, or a column is missing.
        """

    def box_format(self, index: pl.DataFrame) -> BoxFormat:
        """Tell in which unit and layout boxes are: as the options say, else judged over all rows.

        Args:
            index: all rows.

        Raises:
            LatentmapError: it cannot be told; asks for the option.
        """
        if "boxes" not in index.columns or not isinstance(self.options, FileOptions):
            return CORNERS_IN_PIXELS
        try:
            return judge_boxes(
                all_boxes(index["boxes"].to_list()), self.options.boxes, lambda: self._sized(index)
            )
        except LatentmapError as error:
            raise LatentmapError(
                f"{self.options.input}: {error} Or set 'columns.boxes' to null."
            ) from None

    def _sized(self, index: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return boxes of some rows (m, 4) and the sizes of their images (m, 2)."""
        rows = index.with_row_index().filter(pl.col("boxes").list.len() > 0)["index"]
        shown = rows.gather(evenly_spaced(len(rows), PICTURES_LOOKED_AT)).to_list()
        raw = self.read(shown)
        found = [all_boxes([boxes]) for boxes in raw["boxes"].to_pylist()]
        sizes = [picture_size(image) or (np.nan, np.nan) for image in raw["image"].to_pylist()]
        counts = [len(boxes) for boxes in found]
        return np.concatenate(found), np.repeat(np.array(sizes, np.float64), counts, axis=0)

    def remarks(self) -> Sequence[Remark]:
        """Say what the index passes over, and how the source is read where that was judged.

        Asked after `index`, which finds out.
        """
        return ()

    def with_places(self, places: Mapping[int, Any]) -> Source[S_co]:
        """Return the source that finds rows of the index where it said that they lie.

        Args:
            places: `place` of the index for the rows that will be read.
        """
        return self

    @abstractmethod
    def read(self, rows: Sequence[int]) -> pa.Table:
        """Read these rows of the index, in this order: `RAW_SCHEMA` and any extra columns.

        A value that is missing or cannot be read is null: cleaning decides what becomes of it. The
        digests are of what was read: where they are not the index's, a row has changed since.

        Raises:
            LatentmapError: the source cannot be read.
            IndexError: it has fewer rows.
        """


SOURCES: Registry[Source[SourceOptions]] = Registry("latentmap.samples.sources", Source, "source")
