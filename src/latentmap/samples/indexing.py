"""What there is to know of a source's rows when a run is planned."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

import polars as pl
import pyarrow as pa

from latentmap.samples.cells import as_boxes, is_blank, stable_text
from latentmap.samples.clean import ORIGINS
from latentmap.samples.columns import ColumnMap, ids_of, texts, values
from latentmap.samples.images import NOTHING, Images, unpack
from latentmap.samples.tables.file import BROKEN, CONTENT, PLACE, Place
from latentmap.samples.tables.rows import Rows
from latentmap.samples.texts import Sameness, contents
from latentmap.store.files import digest_framed, framed

ROWS_SHOWN = 1000
"""Rows whose columns are named in the message when a mapped one is in none of all rows."""

PLACES = pl.Struct(dict.fromkeys(Place.__annotations__, pl.Int64))


def index_table(
    source: Rows,
    columns: ColumnMap,
    images: Images,
    origin: str,
    prefix: str = "",
    same: Sameness | None = None,
) -> pl.DataFrame:
    """List all rows of tables as `Source.index` does; see `index_rows`.

    Args:
        source: the tables.
        columns: their mapping.
        images: where their images are.
        origin: what to name in messages.
        prefix: of ids that are made of the row's number.
        same: which texts count as the same, where rows are to be deduplicated.

    Raises:
        LatentmapError: a column is missing.
    """
    parts: list[pl.DataFrame] = []
    first = 0
    missing: set[tuple[str, ...]] | None = None
    for table in source.scan(columns.every_path):
        if first == 0 and isinstance(table, pa.Table):  # all columns are known
            columns.require(columns.missing(table.slice(0, 0)), table, origin, source.doubt)
        if missing is None or missing:
            here = columns.missing(table)
            missing = here if missing is None else missing & here
        parts.append(index_rows(table, columns, images, first, prefix=prefix, same=same))
        first += len(table)
    if missing and first:
        shown = source.take(range(min(first, ROWS_SHOWN)))
        columns.require(missing, shown, origin, source.doubt)
    return pl.concat(parts)


def index_rows(
    table: pa.Table,
    columns: ColumnMap,
    images: Images,
    first: int = 0,
    *context: str,
    prefix: str = "",
    same: Sameness | None = None,
) -> pl.DataFrame:
    """Return what there is to know of rows when a run is planned; see `Source.index`.

    Args:
        table: (n,) rows as the source has them.
        columns: their mapping.
        images: where their images are.
        first: position of the first row in the source.
        context: what else the rows depend on.
        prefix: of ids that are made of the row's number.
        same: which texts count as the same, where rows are to be deduplicated.
    """
    rows = range(first, first + len(table))
    # A row without the text that it needs takes no id from another.
    needs_text = columns.id and columns.text and not _has_more_than_text(table, columns)
    found_texts = texts(table, columns) if needs_text or same else []
    labels = [columns.label_of(value) for value in values(table, columns, "label")]
    if BROKEN in table.column_names:
        broken = table[BROKEN].to_pylist()
        labels = [None if fault else label for label, fault in zip(labels, broken, strict=True)]
    if needs_text:
        labels = [
            None if is_blank(text) else label
            for label, text in zip(labels, found_texts, strict=True)
        ]
    found = {
        "id": ids_of(table, columns, rows, prefix),
        "label": labels,
        "digest": row_digests(table, columns, images, rows, *context, prefix=prefix),
    }
    if same:
        found["content"] = contents(found_texts, same)
    index = pl.DataFrame(found, dict.fromkeys(found, pl.String))
    if columns.boxes is not None:
        boxes = [as_boxes(value) for value in values(table, columns, "boxes")]
        index = index.with_columns(pl.Series("boxes", boxes, pl.List(pl.List(pl.Float64))))
    if PLACE in table.column_names:
        index = index.with_columns(pl.Series("place", table[PLACE].to_pylist(), PLACES))
    return index


def _has_more_than_text(table: pa.Table, columns: ColumnMap) -> bool:
    return columns.image is not None or not ORIGINS.isdisjoint(table.column_names)


def row_digests(
    table: pa.Table,
    columns: ColumnMap,
    images: Images,
    rows: Iterable[int],
    *context: str,
    prefix: str = "",
) -> list[str]:
    """Digest rows of a source.

    A digest covers how the row is mapped, its values, its image, the context, and an id that is
    made of the row's number: rows that move must not leave their old id in a sealed shard.

    Args:
        table: (n,) rows as the source has them.
        columns: their mapping.
        images: where their images are.
        rows: (n,) their positions in the source.
        context: what else the rows depend on.
        prefix: of ids that are made of the row's number.
    """
    mapping, beside = framed(columns.model_dump_json()), framed(*context)
    identifying = map(framed, _contents(table, columns.image_column(table.column_names)))
    pictures: Iterable[bytes] = repeat(framed("", NOTHING))
    if columns.image is not None:
        found = values(table, columns, "image")
        pictures = (framed(unpack(cell)[1] or "", images.digest(cell)) for cell in found)
    names: Iterable[bytes] = repeat(b"")
    if columns.id is None:
        names = (framed(name or "") for name in ids_of(table, columns, rows, prefix))
    return [
        digest_framed(b"".join((mapping, content, picture, beside, name)))
        for content, picture, name in zip(identifying, pictures, names, strict=False)
    ]


def _contents(table: pa.Table, picture: str | None) -> list[bytes | str]:
    """Return what identifies every row, its picture aside."""
    if CONTENT in table.column_names:
        return table[CONTENT].to_pylist()
    plain = table.drop_columns([picture]) if picture in table.column_names else table
    return [stable_text(row) for row in plain.to_pylist()]
