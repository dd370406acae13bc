"""From a source's own columns to samples: which column holds what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
    as_text,
    cells,
    inside,
    is_blank,
    split_path,
    stable_text,
)
from latentmap.samples.clean import ORIGINS
from latentmap.samples.conversations import as_prose, unreadable
from latentmap.samples.faults import FaultError
from latentmap.samples.images import NOTHING, Images, unpack
from latentmap.samples.literals import unparsed
from latentmap.samples.source import (
    FAULT,
    FAULT_TYPE,
    NO_IMAGE,
    NOTES,
    RAW_SCHEMA,
    REPLACED,
)
from latentmap.samples.spelling import plain_name
from latentmap.samples.tables.file import BROKEN, CONTENT, HIDDEN, LINE, PLACE, Place, fault_of
from latentmap.samples.tables.rows import Rows
from latentmap.samples.texts import Sameness, contents
from latentmap.store.files import digest
from latentmap.store.samples import SCHEMA

NAMING = ("id", "label", "label_group", "source_group")
"""Roles that name a sample, or a set of samples."""

ROWS_SHOWN = 1000
"""Rows whose columns are named in the message when a mapped one is in none of all rows."""

PLACES = pl.Struct(dict.fromkeys(Place.__annotations__, pl.Int64))

OR = " | "
"""Between the paths of which the first that holds something counts."""


class ColumnMap(Options):
    """Which column of the source holds what; a dot leads into a nested value, null maps nothing.

    `prompt | messages` is the first of these columns that has something.

    Attributes:
        id: unique name of the row; made of the row's number if not mapped.
        label: the class under study; null for data without labels.
        label_group: its coarser class; the run's `label_groups` if not mapped.
        source_group: what must not leak; the id if not mapped.
        text: the text, or the question about the image; `[title, description]` joins the texts of
            several columns, one below the other. A conversation is read as one `role: content` a
            line, however it is stored.
        boxes: of the image as it is stored, before any EXIF rotation; four numbers each, in the
            unit and layout that `boxes` beside `columns` says or that is judged.
        image: bytes, a `{bytes, path}` struct, or the path of a file; of several columns, the
            first that holds one.
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
        """Return all paths of every role."""
        return {role: tuple(chain(*self.parts(role))) for role in ColumnMap.model_fields}

    @property
    def every_path(self) -> list[str]:
        """The paths of all roles."""
        return list(chain(*self.paths().values()))

    def parts(self, role: str) -> tuple[tuple[str, ...], ...]:
        """Return the parts that a role is joined from: the paths of each, as they are tried."""
        given = getattr(self, role)
        if given is None:
            return ()
        parts = (given,) if isinstance(given, str) else given
        tried = [tuple(path.strip() for path in part.split(OR)) for part in parts]
        return (tuple(chain(*tried)),) if role == "image" else tuple(tried)

    def label_of(self, value: Any) -> str | None:
        """Return what an index says of a row's label: "" where no label is mapped."""
        return "" if self.label is None else name_of(value)

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
        self.require(self.missing(table), table, origin)

    def missing(self, table: pa.Table) -> set[tuple[str, ...]]:
        """Return the parts of roles that no path of theirs leads to in a table."""
        sought = {part for role in ColumnMap.model_fields for part in self.parts(role)}
        return {part for part in sought if not any(_exists(table, path) for path in part)}

    def require(
        self,
        missing: Collection[tuple[str, ...]],
        table: pa.Table,
        origin: str,
        doubt: str | None = None,
    ) -> None:
        """Fail if something is missing.

        Args:
            missing: the parts of roles that no path leads to.
            table: rows of the source, whose columns and keys are named.
            origin: what to name in the message.
            doubt: what else may be the matter.

        Raises:
            LatentmapError: names the first that is missing, what exists and the nearest match.
        """
        for role in ColumnMap.model_fields:
            for part in self.parts(role):
                if part in missing:
                    problem = unknown("column", part[0], _existing(table, part[0]))
                    remedy = f"Set 'columns.{role}' to one, or to null."
                    raise LatentmapError(
                        " ".join(filter(None, [f"{origin}: {problem}", remedy, doubt]))
                    )


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


def name_of(value: Any) -> str | None:
    """Read an id, a label or a group, as `plain_name` makes it."""
    text = as_text(value)
    return None if text is None else plain_name(text)


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
        "id": _ids(table, columns, rows, prefix),
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
    mapping = columns.model_dump_json()
    column = columns.image_column(table.column_names)
    pictures = [("", NOTHING)] * len(table)
    if columns.image is not None:
        found = values(table, columns, "image")
        pictures = [(unpack(cell)[1] or "", images.digest(cell)) for cell in found]
    identifying = _contents(table, column)
    if columns.id is not None:
        rest = zip(identifying, pictures, strict=True)
        return [digest(mapping, content, *picture, *context) for content, picture in rest]
    made = zip(identifying, pictures, _ids(table, columns, rows, prefix), strict=True)
    return [
        digest(mapping, content, *picture, *context, name or "") for content, picture, name in made
    ]


def _contents(table: pa.Table, picture: str | None) -> list[bytes | str]:
    """Return what identifies every row, its picture aside."""
    if CONTENT in table.column_names:
        return table[CONTENT].to_pylist()
    plain = table.drop_columns([picture]) if picture in table.column_names else table
    return [stable_text(row) for row in plain.to_pylist()]


def values(table: pa.Table, columns: ColumnMap, role: str) -> list[Any]:
    """Read a role as Python values: of several columns, the first that has something."""
    tried = [cells(table, path) for path in columns.paths()[role]]
    if len(tried) == 1:
        return tried[0]
    by_row = zip(*tried, strict=True) if tried else [()] * len(table)
    return [next((value for value in row if value not in (None, "")), None) for row in by_row]


def texts(table: pa.Table, columns: ColumnMap) -> list[str | None]:
    """Read the text of every row; null where it has none."""
    if not columns.parts("text"):
        return [None] * len(table)
    parts = [
        [_first_text(row) for row in zip(*(cells(table, path) for path in part), strict=True)]
        for part in columns.parts("text")
    ]
    return [_joined(row) for row in zip(*parts, strict=True)]


def _first_text(values: Iterable[Any]) -> str | None:
    """Return the first of several cells that has text, as text."""
    blank = None
    for text in map(as_prose, values):
        if not is_blank(text):
            return text
        blank = text if blank is None else blank
    return blank


def _joined(parts: Sequence[str | None]) -> str | None:
    if len(parts) == 1:
        return parts[0]
    return "\n".join(part for part in parts if part and not is_blank(part)) or None


def _faults(
    table: pa.Table, columns: ColumnMap, core: Mapping[str, Sequence[Any]]
) -> list[str | None]:
    """Say what is wrong with every row by itself, null where nothing is.

    Args:
        table: (n,) rows as the source has them.
        columns: their mapping.
        core: what was read of each role.
    """
    faults: list[str | None] = [None] * len(table)
    if BROKEN in table.column_names:
        faults = [fault_of(cell) for cell in table[BROKEN].to_pylist()]
    for role in (*NAMING, "text", "boxes"):
        for path in columns.paths()[role]:
            for row, fault in _unparsed(table, path, role, core[role]):
                faults[row] = faults[row] or fault
    if LINE in table.column_names and columns.text and not columns.image:
        tried = " or ".join(columns.paths()["text"])
        for row, line in enumerate(table[LINE].to_pylist()):
            if is_blank(core["text"][row]):
                faults[row] = faults[row] or f"line {line}: no text at {tried}"
    return faults


def _unparsed(
    table: pa.Table, path: str, role: str, values: Sequence[Any]
) -> Iterator[tuple[int, str]]:
    """Yield the rows whose literal under a path cannot be parsed, and why.

    Args:
        table: (n,) rows as the source has them.
        path: that leads into a literal, or to boxes or a conversation.
        role: what is read there.
        values: (n,) what was read.
    """
    column, keys = split_path(path, table.column_names)
    if column not in table.column_names or not (keys or role in ("boxes", "text")):
        return
    for row, cell in enumerate(table[column].to_pylist()):
        if not isinstance(cell, str) or is_blank(cell):
            continue
        if role == "text" and not keys:
            reason = unreadable(cell)
        elif values[row] in (None, [None]):
            reason = unparsed(cell)
        else:
            reason = None
        if reason:
            yield row, f"'{column}' is {reason}"


def raw_samples(
    table: pa.Table,
    columns: ColumnMap,
    images: Images,
    rows: Sequence[int],
    prefix: str = "",
    origins: Collection[str] = (),
    context: Sequence[str] = (),
) -> pa.Table:
    """Map rows of a source to `RAW_SCHEMA`, followed by all columns that are not mapped whole.

    Names, those of extra columns too, are as `plain_name` makes them, with a note in `REPLACED`
    where a row had others. What makes a row unusable by itself is in a last column `FAULT`, if
    there is such a row. An extra column with the name of a core column, of one of `NOTES`, or of
    one of `ORIGINS` that the source has not written itself, is prefixed with `original_`.

    Args:
        table: (n,) rows as the source has them.
        columns: their mapping.
        images: where their images are; if one cannot be had, `NO_IMAGE` says why.
        rows: (n,) their positions in the source.
        prefix: of ids that are made of the row's number.
        origins: the columns of the table that are the source's own `ORIGINS`.
        context: what else the rows depend on, as for `index_rows`.
    """
    picture = columns.image_column(table.column_names)
    core: dict[str, list[Any]] = {
        role: [name_of(value) for value in values(table, columns, role)] for role in NAMING
    }
    core["text"] = texts(table, columns)
    core["id"] = _ids(table, columns, rows, prefix)
    core["boxes"] = [as_boxes(value) for value in values(table, columns, "boxes")]
    found = values(table, columns, "image")
    core["image"], no_images = _pictures(found, images) if columns.image else (found, found)
    # After the images: what is digested is what was read.
    core["digest"] = row_digests(table, columns, images, rows, *context, prefix=prefix)
    raw = pa.table([pa.array(core[f.name], f.type) for f in RAW_SCHEMA], schema=RAW_SCHEMA)
    others = (tried for role, tried in columns.paths().items() if role != "image")
    mapped = {picture, *chain(*others)}
    reserved = ORIGINS.difference(origins)
    for name in table.column_names:
        if name not in mapped and name not in HIDDEN:
            taken = [*SCHEMA.names, *NOTES, *reserved, *raw.column_names]
            free = extra_name(plain_name(name), taken)
            raw = raw.append_column(free, table[name])
    if any(no_images):
        raw = raw.append_column(NO_IMAGE, pa.array(no_images, FAULT_TYPE))
    replaced = _replaced(table, columns)
    if any(replaced):
        raw = raw.append_column(REPLACED, pa.array(replaced, pa.string()))
    faults = _faults(table, columns, core)
    return raw.append_column(FAULT, pa.array(faults, pa.string())) if any(faults) else raw


def _replaced(table: pa.Table, columns: ColumnMap) -> list[str | None]:
    """Say which names of each row held something that was replaced."""
    found: list[list[str]] = [[] for _ in range(len(table))]
    for role in NAMING:
        for said, text in zip(found, map(as_text, values(table, columns, role)), strict=True):
            if text is not None and plain_name(text) != text:
                said.append(f"{role} {text!a} holds characters that cannot be shown: replaced")
    return ["; ".join(said) or None for said in found]


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
            faults.append(vars(fault))
    return pictures, faults


def _ids(table: pa.Table, columns: ColumnMap, rows: Iterable[int], prefix: str) -> list[str | None]:
    if columns.id is None:
        numbers = table[LINE].to_pylist() if LINE in table.column_names else rows
        return [f"{prefix}{number}" for number in numbers]
    return [name_of(value) for value in values(table, columns, "id")]


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
    names = [name for name in table.column_names if name not in HIDDEN]
    return [*names, *(f"{column}.{key}" for key in inner)]


def extra_name(name: str, taken: Collection[str]) -> str:
    """Return a name that is not taken: the same, or prefixed with `original_` until it is free."""
    while name in taken:
        name = f"original_{name}"
    return name
