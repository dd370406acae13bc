"""Arrow and Parquet tables, written atomically and without a clock.

`pyarrow.array`, `Array.to_numpy` and `parquet.read_table` import pandas if it is installed, which
takes as long as a small job; the functions here do without.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from latentmap.store.checked import CheckedFile, stamp_table
from latentmap.store.files import atomic, reading
from latentmap.store.stamp import damaged

METADATA_KEY = b"latentmap"
TOKENS_KEY = b"tokens"
EMBEDDING = "an embedding"
VALUES_IN_GROUP = 2**23
"""Of an embedding, in each row group of its file."""
IPC_START = 8
"""Bytes before the first message of an Arrow file: its magic, and padding."""


def write_arrow(path: Path | str, table: pa.Table, written: Path | None = None) -> None:
    """Write an Arrow IPC file, uncompressed, so that it can be memory-mapped.

    Args:
        path: where it belongs, which its stamp says.
        table: what it holds.
        written: where it is written, if it is to be moved to `path` later.
    """
    with (
        stamped(path, written) as temporary,
        pa.ipc.new_file(str(temporary), table.schema) as writer,
    ):
        writer.write_table(table)


def read_arrow(path: Path | str, columns: Sequence[str] | None = None) -> pa.Table:
    """Memory-map an Arrow IPC file; columns that are not asked for are not read from disk.

    Raises:
        LatentmapError: the file is missing, is not what was written, or lacks a column.
    """
    file = CheckedFile(path, b"ARROW1")
    if columns is None:
        file.check()
    else:
        _check_messages(file)
    table = _ipc(file).read_all()
    if columns is not None:
        table = _select(path, table, columns)
        for chunk in (chunk for column in table.columns for chunk in column.chunks):
            for buffer in filter(None, chunk.buffers()):
                file.check_buffer(buffer)
    return table


def read_arrow_schema(path: Path | str) -> pa.Schema:
    """Read the schema of an Arrow IPC file, and no row."""
    return _ipc(CheckedFile(path, b"ARROW1")).schema


def _ipc(file: CheckedFile) -> pa.ipc.RecordBatchFileReader:
    return pa.ipc.open_file(pa.BufferReader(file.content))


def _check_messages(file: CheckedFile) -> None:
    """Check everything of an Arrow file but the columns: where they are, and dictionaries.

    Each message is a mark and its length, four bytes each, what it says, and its body. The length
    of the last one is zero.
    """
    start = IPC_START
    while True:
        file.check(start, start + 8)
        size = int.from_bytes(file.content[start + 4 : start + 8].to_pybytes(), "little")
        if size == 0:
            return
        file.check(start, start + 8 + size)
        message = pa.ipc.read_message(file.content.slice(start))
        start += 8 + size
        end = start + (message.body.size if message.body else 0)
        if message.type != "record batch":
            file.check(start, end)
        start = end


def _select(path: Path | str, table: pa.Table, columns: Sequence[str]) -> pa.Table:
    _check_columns(path, table.column_names, columns)
    return table.select(list(columns))


def _check_columns(path: Path | str, found: Sequence[str], columns: Sequence[str]) -> None:
    lacking = [name for name in columns if name not in found]
    if lacking:
        raise damaged(path, f"has no column '{lacking[0]}', so it is another kind of file")


@contextmanager
def stamped(path: Path | str, written: Path | None = None) -> Iterator[Path]:
    """Give a temporary path as `atomic` does, and stamp the Arrow or Parquet file written there.

    Args:
        path: where the file belongs.
        written: where it is written, if it is to be moved to `path` later.
    """
    with atomic(written or path) as temporary:
        yield temporary
        with temporary.open("r+b") as file:
            stamp_table(file, path)


def strings(values: Sequence[str | None]) -> pa.StringArray:
    """Return text as an Arrow array."""
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()


def numbers(values: NDArray[Any]) -> pa.Array:
    """Return the numbers of an array of any shape, row by row, as a flat Arrow array."""
    flat = np.ascontiguousarray(values).reshape(-1)
    return pa.Array.from_buffers(
        pa.from_numpy_dtype(flat.dtype), len(flat), [None, pa.py_buffer(flat)]
    )


def known_numbers(values: NDArray[np.float64]) -> pa.Array:
    """Return numbers as an Arrow array, null where they are NaN.

    `pyarrow.array` would do, and imports pandas: 0.2 CPU-seconds of a job.
    """
    known = ~np.isnan(values)
    if known.all():
        return numbers(values)
    bits = np.packbits(known, bitorder="little")
    buffers = [pa.py_buffer(bits), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(pa.float64(), len(values), buffers)


def number_lists(lists: Sequence[NDArray[Any]], dtype: type[np.floating]) -> pa.ListArray:
    """Return lists of numbers as an Arrow array."""
    ends = np.cumsum([0, *map(len, lists)], dtype=np.int32)
    values = np.concatenate([np.empty(0), *lists]).astype(dtype)
    return pa.ListArray.from_arrays(numbers(ends), numbers(values))


def one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array; of a single chunk `combine_chunks` would make a copy."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def matrix(column: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
    """Return a column without nulls as NumPy: (N,) numbers, or (N, D) fixed-size lists of them.

    A view where the column is one chunk.
    """
    array = one_chunk(column) if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_fixed_size_list(array.type):
        # `array.flatten()` would import pyarrow.compute, a tenth of what a short job takes.
        dims = array.type.list_size
        return matrix(array.values.slice(array.offset * dims, len(array) * dims)).reshape(
            len(array), dims
        )
    values = np.frombuffer(array.buffers()[1], array.type.to_pandas_dtype())
    return values[array.offset : array.offset + len(array)]


class ParquetTable:
    """A Parquet file of ours, open; of the columns that are read, the bytes are checked.

    Attributes:
        schema: its Arrow schema.
        groups: the number of its row groups.

    Args:
        path: the file.

    Raises:
        LatentmapError: the file is missing, or is not what was written.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = path
        self._file = CheckedFile(path, b"PAR1")
        self._parquet = pq.ParquetFile(pa.BufferReader(self._file.content))
        self.schema: pa.Schema = self._parquet.schema_arrow
        self.groups: int = self._parquet.num_row_groups

    def read(self, columns: Sequence[str] | None = None, group: int | None = None) -> pa.Table:
        """Read columns, all by default, of one row group or of all.

        Raises:
            LatentmapError: they are not what was written, or a column is missing.
        """
        names = self.schema.names if columns is None else list(columns)
        _check_columns(self._path, self.schema.names, names)
        groups = range(self.groups) if group is None else [group]
        for number in groups:
            self._check(number, names)
        return self._parquet.read_row_groups(list(groups), names)

    def _check(self, group: int, columns: Sequence[str]) -> None:
        rows = self._parquet.metadata.row_group(group)
        for chunk in map(rows.column, range(rows.num_columns)):
            # The path of a nested column is its own name and those of its parts.
            if any(f"{chunk.path_in_schema}.".startswith(f"{name}.") for name in columns):
                start = chunk.dictionary_page_offset or chunk.data_page_offset
                self._file.check(start, start + chunk.total_compressed_size)


def read_parquet(path: Path | str, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file of ours.

    Raises:
        LatentmapError: the file is missing, is not what was written, or lacks a column.
    """
    return ParquetTable(path).read(columns)


def read_parquet_schema(path: Path | str) -> pa.Schema:
    """Read the schema of a Parquet file, and no row."""
    return ParquetTable(path).schema


def check_parquet(path: Path | str) -> None:
    """Check a whole Parquet file of ours that another reader is to read.

    Raises:
        LatentmapError: the file is missing or not what was written.
    """
    CheckedFile(path, b"PAR1").check()


def write_parquet(path: Path | str, table: pa.Table) -> None:
    """Write a Parquet file atomically."""
    with parquet_writer(path, table.schema) as writer:
        writer.write_table(table)


@contextmanager
def parquet_writer(
    path: Path | str, schema: pa.Schema, **layout: Any
) -> Iterator[pq.ParquetWriter]:
    """Give a writer of a Parquet file, which is stamped and put into place at the end.

    Args:
        path: the file.
        schema: of its tables.
        layout: further options of pyarrow's `ParquetWriter`.
    """
    options = {"compression": "zstd", "write_page_checksum": True, **layout}
    with stamped(path) as temporary, pq.ParquetWriter(temporary, schema, **options) as writer:
        yield writer


def with_facts(table: pa.Table, facts: Mapping[str, Any]) -> pa.Table:
    """Return a table with what its reader must know as JSON in the metadata of its schema."""
    text = json.dumps(dict(facts), sort_keys=True)
    return table.replace_schema_metadata({METADATA_KEY: text})


def facts_of(table: pa.Table | pa.Schema) -> dict[str, Any]:
    """Return what `with_facts` has put into a table, given it or its schema; else nothing."""
    metadata = (table if isinstance(table, pa.Schema) else table.schema).metadata or {}
    facts: dict[str, Any] = json.loads(metadata.get(METADATA_KEY, "{}"))
    return facts


def write_embedding(
    path: Path | str, ids: Sequence[str], embedding: NDArray[np.float32], tokens: int
) -> None:
    """Write one embedding as id + fixed-size list<float32>[D].

    Args:
        path: the Parquet file.
        ids: (N,) sample ids.
        embedding: (N, D) float32.
        tokens: tokens that the pooling method would hand to a model.
    """
    write_embedding_parts(path, [(ids, embedding)], embedding.shape[1], tokens)


def write_embedding_parts(
    path: Path | str,
    parts: Iterable[tuple[Sequence[str], NDArray[np.float32]]],
    dims: int,
    tokens: int,
) -> None:
    """Write one embedding as `write_embedding` does, given part by part.

    Memory holds one row group, of 32 MiB, whatever the number of samples.

    Args:
        path: the Parquet file.
        parts: (n,) ids and (n, D) values of samples in their order.
        dims: D.
        tokens: tokens that the pooling method would hand to a model.
    """
    # Without nulls Parquet has no validity to store and rebuild: half the time, either way.
    list_type = pa.list_(pa.field("item", pa.float32(), nullable=False), dims)
    schema = pa.schema(
        [pa.field("id", pa.string()), pa.field("embedding", list_type, nullable=False)],
        metadata={TOKENS_KEY: str(tokens)},
    )
    # Floats of an embedding neither repeat nor compress: plain pages read three times as fast.
    plain = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    size = max(1, VALUES_IN_GROUP // dims)
    with parquet_writer(path, schema, **plain) as writer:
        for ids, values in _groups_of(size, parts):
            lists = pa.FixedSizeListArray.from_arrays(numbers(values), type=list_type)
            writer.write_table(pa.Table.from_arrays([ids, lists], schema=schema), size)


def _groups_of(
    size: int, parts: Iterable[tuple[Sequence[str], NDArray[np.float32]]]
) -> Iterator[tuple[pa.Array, NDArray[np.float32]]]:
    """Yield ids and values of so many rows at a time, the last ones of as many as are left.

    At least once; the values are valid until the next ones are asked for.
    """
    ids, filled, is_first = [strings([])], 0, True
    values = np.empty((0, 0), np.float32)
    for names, rows in parts:
        if not values.size:
            values = np.empty((size, rows.shape[1]), np.float32)
        start = 0
        while start < len(rows):
            taken = min(size - filled, len(rows) - start)
            values[filled : filled + taken] = rows[start : start + taken]
            ids.append(strings(names[start : start + taken]))
            filled, start = filled + taken, start + taken
            if filled == size:
                yield pa.concat_arrays(ids), values
                ids, filled, is_first = [strings([])], 0, False
    if filled or is_first:
        yield pa.concat_arrays(ids), values[:filled]


def read_embedding(path: Path | str) -> tuple[list[str], NDArray[np.float32]]:
    """Read one embedding: ids (N,) and values (N, D) float32.

    One row group after the other, so that memory holds little more than the values.
    """
    ids = read_parquet(path, ["id"])["id"].to_pylist()
    values = np.empty((len(ids), read_dims(path)), np.float32)
    row = 0
    for part in embedding_parts(path):
        values[row : row + len(part)] = part
        row += len(part)
    return ids, values


def embedding_parts(path: Path | str) -> Iterator[NDArray[np.float32]]:
    """Yield the values of an embedding in their order, (n, D) float32 at a time.

    The file is opened for each part: what was read of a mapped file takes memory until it is
    closed.
    """
    for group in range(ParquetTable(path).groups):
        for chunk in ParquetTable(path).read(["embedding"], group)["embedding"].chunks:
            yield matrix(chunk)


def read_dims(path: Path | str) -> int:
    """Read how many dimensions an embedding has."""
    with reading(path, EMBEDDING):
        return int(read_parquet_schema(path).field("embedding").type.list_size)


def read_tokens(path: Path | str) -> int:
    """Read how many tokens the pooling method of an embedding would hand to a model."""
    with reading(path, EMBEDDING):
        return int(read_parquet_schema(path).metadata[TOKENS_KEY])


def check_ids(path: Path | str, found: Sequence[str], expected: Sequence[str]) -> None:
    """Fail with one line when a file's rows are not the expected samples in their order.

    Raises:
        LatentmapError: names the file, the first row that differs, and the remedy.
    """
    if list(found) == list(expected):
        return
    if len(found) != len(expected):
        problem = f"has {len(found)} rows where {len(expected)} are expected"
    else:
        row = next(
            i for i, pair in enumerate(zip(found, expected, strict=True)) if len(set(pair)) > 1
        )
        problem = f"has id '{found[row]}' in row {row} where '{expected[row]}' is expected"
    raise damaged(path, problem)
