"""From a source's own columns to samples: which column holds what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any, Self

import polars as pl
import pyarrow as pa
from pydantic import model_validator

from latentmap.config import Options, unknown
from latentmap.errors import LatentmapError
from latentmap.samples.cells import (
    as_boxes,
    as_mapping,
    as_prose,
    as_text,
    cells,
    inside,
    split_path,
    stable_text,
)
from latentmap.samples.clean import ORIGINS
from latentmap.samples.faults import FaultError
from latentmap.samples.images import Images, unpack
from latentmap.samples.source import FAULT_TYPE, NO_IMAGE, NOTES, RAW_SCHEMA
from latentmap.store.files import digest
from latentmap.store.samples import SCHEMA


class ColumnMap(Options):
    """Which column of the source holds what; a dot leads into a nested value, null maps nothing.

    Attributes:
        id: unique name of the row; made of the row's number if not mapped.
        label: the class under study; null for data without labels.
        label_group: its coarser class; the run's `label_groups` if not mapped.
        source_group: what must not leak; the id if not mapped.
        text: the text, or the question about the image; of several columns, the first that has
            text. A list of messages is read as one `role: content` a line.
        boxes: pixels (x0, y0, x1, y1) of the image as it is stored, before any EXIF rotation.
        image: bytes, a `{bytes, path}` struct, or the path of a file; of several columns, the
            first that exists.
    """

    id: str | None = None
    label: str | None = None
    label_group: str | None = None
    source_group: str | None = None
    text: str | tuple[str, ...] | None = None
    boxes: str | None = None
    image: str | tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _group_labels_only(self) -> Self:
        given = "label_group" in self.model_fields_set and self.label_group is not None
        if given and self.label is None:
            raise ValueError("label_group is a class of labels; map 'label' too, or leave it out")
        return self

    def paths(self) -> dict[str, tuple[str, ...]]:
        """Return the paths of every role, in the order in which they are tried."""
        given = self.model_dump()
        return {
            role: (path,) if isinstance(path, str) else tuple(path or ())
            for role, path in given.items()
        }

    def label_of(self, value: Any) -> str | None:
        """Return what an index says of a row's label: "" where no label is mapped."""
        return "" if self.label is None else as_text(value)

    def image_column(self, names: Sequence[str]) -> str | None:
        """Return the path that images come from, given the names of a table's columns."""
        tried = self.paths()["image"]
        return next((path for path in tried if split_path(path, names)[0] in names), None)

    def check(self, table: pa.Table, origin: str) -> None:
        """Check that every mapped column exists.

        Args:
            table: some rows of the source; a key inside text is looked for in all of them.
            origin: what to name in the message.

        Raises:
            LatentmapError: a column is missing; names what exists and the nearest match.
        """
        for role, tried in self.paths().items():
            if tried and not any(_exists(table, path) for path in tried):
                problem = unknown("column", tried[0], _existing(table, tried[0]))
                raise LatentmapError(
                    f"{origin}: {problem} Set 'columns.{role}' to one, or to null."
                )


def index_rows(
    table: pa.Table,
    columns: ColumnMap,
    images: Images,
    first: int = 0,
    *context: str,
    prefix: str = "",
) -> pl.DataFrame:
    """Return id, label and digest of rows of a source, as `Source.index` does.

    Args:
        table: (n,) rows as the source has them.
        columns: their mapping.
        images: where their images are.
        first: position of the first row in the source.
        context: what else the rows depend on.
        prefix: of ids that are made of the row's number.
    """
    rows = range(first, first + len(table))
    made = {
        "id": _ids(table, columns, rows, prefix),
        "label": [columns.label_of(value) for value in cells(table, columns.label)],
        "digest": row_digests(table, columns, images, rows, *context, prefix=prefix),
    }
    return pl.DataFrame(made, dict.fromkeys(made, pl.String))


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
    mapping = columns.model_dump_json()
    column = columns.image_column(table.column_names)
    pictures = cells(table, column)
    plain = table.drop_columns([column]) if column in table.column_names else table
    ids = _ids(table, columns, rows, prefix)
    made = [[] if columns.id else [name or ""] for name in ids]
    return [
        digest(
            mapping,
            stable_text(row),
            unpack(picture)[1] or "",
            images.digest(picture),
            *context,
            *made_id,
        )
        for row, picture, made_id in zip(plain.to_pylist(), pictures, made, strict=True)
    ]


def texts(table: pa.Table, columns: ColumnMap) -> list[str | None]:
    """Read the text of every row."""
    tried = [cells(table, path) for path in columns.paths()["text"]]
    return [as_prose(row) for row in zip(*tried, strict=True)] if tried else [None] * len(table)


def raw_samples(
    table: pa.Table,
    columns: ColumnMap,
    images: Images,
    rows: Sequence[int],
    prefix: str = "",
    origins: Collection[str] = (),
    context: Sequence[str] = (),
    digests: Sequence[str] | None = None,
) -> pa.Table:
    """Map rows of a source to `RAW_SCHEMA`, followed by all columns that are not mapped whole.

    An extra column with the name of a core column, of one of `NOTES`, or of one of `ORIGINS` that
    the source has not written itself, is prefixed with `original_`.

    Args:
        table: (n,) rows as the source has them.
        columns: their mapping.
        images: where their images are; if one cannot be had, `NO_IMAGE` says why.
        rows: (n,) their positions in the source.
        prefix: of ids that are made of the row's number.
        origins: the columns of the table that are the source's own `ORIGINS`.
        context: what else the rows depend on, as for `index_rows`.
        digests: (n,) of the rows, of a source that makes its own.
    """
    picture = columns.image_column(table.column_names)
    core: dict[str, list[Any]] = {
        role: [as_text(value) for value in cells(table, getattr(columns, role))]
        for role in ("label", "label_group", "source_group")
    }
    core["text"] = texts(table, columns)
    core["id"] = _ids(table, columns, rows, prefix)
    core["boxes"] = [as_boxes(value) for value in cells(table, columns.boxes)]
    found = cells(table, picture)
    core["image"], faults = _pictures(found, images) if picture else (found, found)
    # After the images: what is digested is what was read.
    made = digests or row_digests(table, columns, images, rows, *context, prefix=prefix)
    core["digest"] = list(made)
    raw = pa.table([pa.array(core[f.name], f.type) for f in RAW_SCHEMA], schema=RAW_SCHEMA)
    others = (tried for role, tried in columns.paths().items() if role != "image")
    mapped = {picture, *chain(*others)}
    reserved = ORIGINS.difference(origins)
    for name in table.column_names:
        if name not in mapped:
            free = extra_name(name, [*SCHEMA.names, *NOTES, *reserved, *raw.column_names])
            raw = raw.append_column(free, table[name])
    if any(faults):
        raw = raw.append_column(NO_IMAGE, pa.array(faults, FAULT_TYPE))
    return raw


def _pictures(
    found: Sequence[Any], images: Images
) -> tuple[list[bytes | None], list[dict[str, str] | None]]:
    """Read images; where one cannot be had, say why."""
    pictures: list[bytes | None] = []
    faults: list[dict[str, str] | None] = []
    for cell in found:
        try:
            pictures.append(images.read(cell))
            faults.append(None)
        except FaultError as fault:
            pictures.append(None)
            faults.append({"reason": fault.reason, "remedy": fault.remedy})
    return pictures, faults


def _ids(table: pa.Table, columns: ColumnMap, rows: Iterable[int], prefix: str) -> list[str | None]:
    if columns.id is None:
        return [f"{prefix}{row}" for row in rows]
    return [as_text(value) for value in cells(table, columns.id)]


def _exists(table: pa.Table, path: str) -> bool:
    column, keys = split_path(path, table.column_names)
    if column not in table.column_names:
        return False
    if not keys or len(table) == 0:
        return True
    parents = (inside(value, keys[:-1]) for value in table[column].to_pylist())
    return any(keys[-1] in as_mapping(parent) for parent in parents)


def _existing(table: pa.Table, path: str) -> list[str]:
    """List the columns, with the keys of the one that a path leads into."""
    column, _ = split_path(path, table.column_names)
    inner: dict[str, None] = {}
    if column in table.column_names:
        for value in table[column].to_pylist():
            inner.update(dict.fromkeys(as_mapping(value)))
    return [*table.column_names, *(f"{column}.{key}" for key in inner)]


def extra_name(name: str, taken: Collection[str]) -> str:
    """Return a name that is not taken: the same, or prefixed with `original_` until it is free."""
    while name in taken:
        name = f"original_{name}"
    return name
