"""What is known of samples, as other tools read it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from latentmap.samples.cells import as_text
from latentmap.store.files import atomic
from latentmap.store.tables import read_arrow, read_arrow_schema

ROWS_AT_ONCE = 4096

# Of the core columns these say nothing to other tools; columns of binary data are images.
LEFT_OUT = ("image", "digest")


def read_columns(samples: Sequence[Path | str], taken: Sequence[str] = ()) -> pa.Table:
    """Read all columns of samples but their images.

    Args:
        samples: shards of samples; a column that some do not have is null in their rows, and one
            that they hold in different types becomes text.
        taken: names that a column must not have: it is prefixed with `original_`.
    """
    tables = [_readable(path, taken) for path in samples]
    unequal = _unequal(tables)
    return pa.concat_tables([_as_texts(t, unequal) for t in tables], promote_options="permissive")


def write_csv(path: Path | str, samples: Sequence[Path | str]) -> None:
    """Write what is known of samples as CSV, one row each in their order.

    What is no text or number (boxes, for example) is JSON; null is empty.

    Args:
        path: the file.
        samples: shards of samples.
    """
    table = read_columns(samples)
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.column_names)
        for row in rows_of(table):
            writer.writerow([as_text(value) for value in row.values()])


def as_parquet_can(table: pa.Table) -> pa.Table:
    """Return a table in which columns of types that Parquet lacks are text."""
    return _as_texts(table, {field.name for field in table.schema if not _fits_parquet(field)})


def rows_of(table: pa.Table) -> Iterator[dict[str, object]]:
    """Yield the rows of a table as plain values, without holding them all."""
    for start in range(0, len(table), ROWS_AT_ONCE):
        yield from table.slice(start, ROWS_AT_ONCE).to_pylist()


def _readable(path: Path | str, taken: Sequence[str]) -> pa.Table:
    shown = [
        field.name
        for field in read_arrow_schema(path)
        if not (pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type))
    ]
    kept = read_arrow(path, [name for name in shown if name not in LEFT_OUT])
    names: list[str] = []
    for name in kept.column_names:
        while name in taken or name in names:
            name = f"original_{name}"
        names.append(name)
    return kept.rename_columns(names).replace_schema_metadata()


def _fits_parquet(field: pa.Field) -> bool:
    try:
        pq.ParquetWriter(pa.BufferOutputStream(), pa.schema([field])).close()
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return False
    return True


def _unequal(tables: Sequence[pa.Table]) -> set[str]:
    """Return the columns whose types have nothing in common but text."""
    found: dict[str, pa.Field] = {}
    unequal = set()
    for field in (field for table in tables for field in table.schema):
        known = found.setdefault(field.name, field)
        try:
            both = [pa.schema([known]), pa.schema([field])]
            found[field.name] = pa.unify_schemas(both, promote_options="permissive").field(0)
        except (pa.ArrowTypeError, pa.ArrowInvalid):
            unequal.add(field.name)
    return unequal


def _as_texts(table: pa.Table, names: set[str]) -> pa.Table:
    for position, name in enumerate(table.column_names):
        if name in names:
            texts = [as_text(value) for value in table[name].to_pylist()]
            table = table.set_column(position, name, pa.array(texts, pa.string()))
    return table
