"""What is known of each sample, in chunks: ids, texts and columns, thumbnails, pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from latentmap.explorer.messages import messages_of
from latentmap.explorer.site import Site
from latentmap.report.picture_host import picture_host
from latentmap.report.pictures import linked_pictures
from latentmap.samples.cells import as_text
from latentmap.samples.whole_pictures import whole_picture, whole_picture_file
from latentmap.store.samples import BOXES
from latentmap.store.tables import check_ids, read_arrow, read_arrow_schema

ROWS_AT_ONCE = 1024
PICTURES_AT_ONCE = 16

Sizes = NDArray[np.int64]


@dataclass(frozen=True)
class Told:
    """Which columns of samples are told.

    Attributes:
        own: names of the samples' own.
        annotations: the joined columns of all samples, in their order; without rows if there are
            none.
        text: whether texts are told.
        titles: what a reader calls these columns, in that order.
    """

    own: Sequence[str]
    annotations: pa.Table = field(default_factory=lambda: pa.table({}))
    text: bool = True
    titles: Sequence[str] = ()


def id_parts(samples: Sequence[Path]) -> Iterator[tuple[pa.Table, Sizes]]:
    """Yield the ids of each shard, with the bytes of each row."""
    for path in samples:
        table = read_arrow(path, ["id"]).replace_schema_metadata()
        yield table, _lengths(table)


def sample_parts(
    samples: Sequence[Path], told: Told, pictures: Pictures | LinkedPictures | None
) -> Iterator[tuple[pa.Table, Sizes]]:
    """Yield what is told of samples, some at a time, with the bytes of each row."""
    start = 0
    for path in samples:
        here = read_arrow_schema(path).names
        names = ["id", "text", "boxes", "width", "height", *(n for n in told.own if n in here)]
        table = read_arrow(path, names)
        for first in range(0, len(table), ROWS_AT_ONCE):
            rows = table.slice(first, ROWS_AT_ONCE)
            annotations = told.annotations.slice(start + first, len(rows))
            shown = None if pictures is None else pictures.of(path, first, len(rows))
            part = _told(rows, annotations, told, shown)
            yield part, _lengths(part)
        start += len(table)


def _told(
    rows: pa.Table, annotations: pa.Table, told: Told, shown: Sequence[str | None] | None
) -> pa.Table:
    nothing = pa.nulls(len(rows), pa.string())
    messages = list(map(messages_of, rows["text"].to_pylist())) if told.text else nothing
    columns = {
        "id": rows["id"],
        "text": rows["text"] if told.text else nothing,
        "messages": pa.array(messages, pa.string()),
        "width": rows["width"],
        "height": rows["height"],
        "boxes": rows["boxes"].cast(BOXES),
        "picture": nothing if shown is None else pa.array(shown, pa.string()),
    }
    own = [rows[name] if name in rows.column_names else nothing for name in told.own]
    for number, column in enumerate([*own, *annotations.columns]):
        columns[f"c{number}"] = _as_texts(column)
    return pa.table(columns).combine_chunks()


def _as_texts(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    if pa.types.is_string(column.type):
        return column
    return pa.array([as_text(value) for value in column.to_pylist()], pa.string())


def _lengths(table: pa.Table) -> Sizes:
    """Return about how many bytes each row has."""
    sizes = np.full(len(table), 8 * table.num_columns, np.int64)
    for column in table.columns:
        if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
            sizes += pc.fill_null(pc.binary_length(column), 0).to_numpy()
    return sizes


def thumbnail_parts(
    samples: Sequence[Path], thumbnails: Sequence[Path]
) -> Iterator[tuple[pa.Table, Sizes]]:
    """Yield the thumbnails of each shard, with the bytes of each.

    Raises:
        LatentmapError: they are not those of the samples.
    """
    for shard, path in zip(samples, thumbnails, strict=True):
        table = read_arrow(path, ["id", "jpeg"])
        check_ids(path, table["id"].to_pylist(), read_arrow(shard, ["id"])["id"].to_pylist())
        jpegs = table.select(["jpeg"]).replace_schema_metadata()
        yield jpegs, _lengths(jpegs)


def each_once(chunk: pa.Table) -> pa.Table:
    """Return a chunk of thumbnails in which equal ones are stored once."""
    return pa.table({"jpeg": chunk["jpeg"].combine_chunks().dictionary_encode()})


class Pictures:
    """Whole pictures, copied into an explorer each once.

    Args:
        site: the explorer.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._sizes: dict[str, int] = {}

    @property
    def facts(self) -> dict[str, Any] | None:
        """How many there are, and their size in all; None if there are none."""
        if not self._sizes:
            return None
        return {"files": len(self._sizes), "bytes": sum(self._sizes.values()), "host": None}

    def of(self, samples: Path, first: int, count: int) -> list[str | None]:
        """Copy the pictures of some samples; return the path of each below `pictures/`."""
        table = read_arrow(samples, ["image"]).slice(first, count)
        return [
            None if image is None else self._copy(image)
            for batch in table.to_batches(max_chunksize=PICTURES_AT_ONCE)
            for image in batch.column(0).to_pylist()
        ]

    def _copy(self, image: bytes) -> str:
        file = whole_picture_file(image)
        if file not in self._sizes:
            content = whole_picture(image)
            self._sizes[file] = len(content)
            self._site.copy(f"pictures/{file}", content)
        return file


class LinkedPictures:
    """Whole pictures that stay on the host where they are.

    Args:
        samples: shards of samples.
        url: of the pictures, as `report.image_url` has it.

    Raises:
        LatentmapError: no sample has what the URL names.
    """

    def __init__(self, samples: Sequence[Path], url: str) -> None:
        counts = [len(read_arrow(path, ["id"])) for path in samples]
        self._starts = dict(zip(samples, accumulate(counts, initial=0), strict=False))
        self._addresses = linked_pictures(samples, np.arange(sum(counts)), url, Path())
        self._host = picture_host(url)

    @property
    def facts(self) -> dict[str, Any]:
        """How many there are, and the one host that they come from."""
        return {"files": len({*self._addresses} - {None}), "bytes": 0, "host": self._host}

    def of(self, samples: Path, first: int, count: int) -> list[str | None]:
        """Return the addresses of the pictures of some samples."""
        start = self._starts[samples] + first
        return self._addresses[start : start + count]
