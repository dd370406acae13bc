"""What is known of samples, as other tools read it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from latentmap.samples.cells import as_text
from latentmap.store.files import atomic
from latentmap.store.tables import read_arrow, read_arrow_schema

ROWS_AT_ONCE = 4096

# Of the core columns these say nothing to other tools; columns of binary data are images.
LEFT_OUT = ("image", "digest")


class SampleColumns:
    """All columns of samples but their images, read shard by shard.

    Attributes:
        schema: of the columns. One that some shards do not have is null in their rows, and one that
            they hold in different types is text.

    Args:
        samples: shards of samples.
        taken: names that a column must not have: it is prefixed with `original_`.
        fits: whether a column may keep its type; it is text if not.
    """

    def __init__(
        self,
        samples: Sequence[Path | str],
        taken: Sequence[str] = (),
        fits: Callable[[pa.Field], bool] = lambda field: True,
    ) -> None:
        self._samples = samples
        self._taken = taken
        schemas = [_shown(path, taken)[1] for path in samples]
        self._texts = _unequal(schemas)
        schema = self._unified(schemas)
        self._texts |= {field.name for field in schema if not fits(field)}
        self.schema: pa.Schema = self._unified(schemas)

    def _unified(self, schemas: Sequence[pa.Schema]) -> pa.Schema:
        as_texts = [_as_texts(schema.empty_table(), self._texts).schema for schema in schemas]
        return pa.unify_schemas(as_texts or [pa.schema([])], promote_options="permissive")

    def parts(self) -> Iterator[pa.Table]:
        """Yield the columns of one shard after the other."""
        empty = self.schema.empty_table()
        for path in self._samples:
            names, schema = _shown(path, self._taken)
            table = read_arrow(path, names).rename_columns(schema.names)
            same = _as_texts(table.replace_schema_metadata(), self._texts)
            yield pa.concat_tables([empty, same], promote_options="permissive")

    def rows(self, names: Sequence[str] | None = None) -> Iterator[dict[str, object]]:
        """Yield all samples as plain values, of these columns or of all."""
        for part in self.parts():
            yield from rows_of(part if names is None else part.select(list(names)))


class RowsInStep:
    """Takes as many rows at a time as it is asked for from tables that come one after the other."""

    def __init__(self, tables: Iterable[pa.Table]) -> None:
        self._tables = iter(tables)
        self._rest: pa.Table | None = None

    def take(self, count: int) -> pa.Table:
        """Return the next rows, in one chunk."""
        parts: list[pa.Table] = []
        while count or not parts:
            if self._rest is None or not len(self._rest):
                self._rest = next(self._tables)
            parts.append(self._rest.slice(0, count))
            self._rest = self._rest.slice(count)
            count -= len(parts[-1])
        return pa.concat_tables(parts).combine_chunks()


def write_csv(path: Path | str, samples: Sequence[Path | str]) -> None:
    """Write what is known of samples as CSV, one row each in their order.

    What is no text or number (boxes, for example) is JSON; null is empty.

    Args:
        path: the file.
        samples: shards of samples.
    """
    columns = SampleColumns(samples)
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns.schema.names)
        for row in columns.rows():
            writer.writerow([as_text(value) for value in row.values()])


def rows_of(table: pa.Table) -> Iterator[dict[str, object]]:
    """Yield the rows of a table as plain values, without holding them all."""
    for start in range(0, len(table), ROWS_AT_ONCE):
        yield from table.slice(start, ROWS_AT_ONCE).to_pylist()


def _shown(path: Path | str, taken: Sequence[str]) -> tuple[list[str], pa.Schema]:
    """Return which columns of a shard are shown, and the schema of these under their new names."""
    fields = [
        field
        for field in read_arrow_schema(path)
        if not (pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type))
        and field.name not in LEFT_OUT
    ]
    named: list[pa.Field] = []
    for field in fields:
        name = field.name
        while name in taken or name in [other.name for other in named]:
            name = f"original_{name}"
        named.append(field.with_name(name))
    return [field.name for field in fields], pa.schema(named)


def fits_parquet(field: pa.Field) -> bool:
    """Whether Parquet can hold a column; an empty object it cannot."""
    try:
        pq.ParquetWriter(pa.BufferOutputStream(), pa.schema([field])).close()
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return False
    return True


def _unequal(schemas: Sequence[pa.Schema]) -> set[str]:
    """Return the columns whose types have nothing in common but text."""
    found: dict[str, pa.Field] = {}
    unequal = set()
    for field in chain.from_iterable(schemas):
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
