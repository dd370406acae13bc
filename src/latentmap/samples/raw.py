"""Rows of a source as raw samples, with what is wrong with each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import pyarrow as pa

from latentmap.samples.cells import as_boxes, as_text, is_blank, split_path
from latentmap.samples.clean import ORIGINS
from latentmap.samples.columns import ColumnMap, ids_of, name_of, texts, values
from latentmap.samples.conversations import unreadable
from latentmap.samples.faults import FaultError
from latentmap.samples.images import Images
from latentmap.samples.indexing import row_digests
from latentmap.samples.literals import unparsed
from latentmap.samples.source import FAULT, FAULT_TYPE, NO_IMAGE, NOTES, RAW_SCHEMA, REPLACED
from latentmap.samples.spelling import plain_name
from latentmap.samples.tables.file import BROKEN, HIDDEN, LINE, fault_of
from latentmap.store.samples import SCHEMA

NAMING = ("id", "label", "label_group", "source_group")
"""Roles that name a sample, or a set of samples."""


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
    core["id"] = ids_of(table, columns, rows, prefix)
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


def extra_name(name: str, taken: Collection[str]) -> str:
    """Return a name that is not taken: the same, or prefixed with `original_` until it is free."""
    while name in taken:
        name = f"original_{name}"
    return name


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


def _replaced(table: pa.Table, columns: ColumnMap) -> list[str | None]:
    """Say which names of each row held something that was replaced."""
    found: list[list[str]] = [[] for _ in range(len(table))]
    for role in NAMING:
        for said, text in zip(found, map(as_text, values(table, columns, role)), strict=True):
            if text is not None and plain_name(text) != text:
                said.append(f"{role} {text!a} holds characters that cannot be shown: replaced")
    return ["; ".join(said) or None for said in found]


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
            read = core[role]
            if role in NAMING:  # a literal that cannot be parsed is no lack of a value
                otherwise = columns.otherwise(role)
                read = [None if value == otherwise else value for value in read]
            for row, fault in _unparsed(table, path, role, read):
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
