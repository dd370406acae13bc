"""Arrow and Parquet tables, written atomically and without a clock.

`pyarrow.array`, `Array.to_numpy` and `parquet.read_table` import pandas if it is installed, which
takes as long as a small job; the functions here do without.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.store.files import atomic

METADATA_KEY = b"latentmap"
TOKENS_KEY = b"tokens"


def write_arrow(path: Path | str, table: pa.Table) -> None:
    """Write an Arrow IPC file, uncompressed, so that it can be memory-mapped."""
    with atomic(path) as temporary, pa.ipc.new_file(str(temporary), table.schema) as writer:
        writer.write_table(table)


def read_arrow(path: Path | str, columns: Sequence[str] | None = None) -> pa.Table:
    """Memory-map an Arrow IPC file; columns that are not touched are not read from disk."""
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except pa.ArrowInvalid as error:
        raise LatentmapError(f"{path} is not a complete Arrow file ({error}); delete it.") from None
    return table if columns is None else table.select(list(columns))


def strings(values: Sequence[str]) -> pa.StringArray:
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


def read_parquet(path: Path | str, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file."""
    with pq.ParquetFile(path) as file:
        return file.read(columns=None if columns is None else list(columns))


def write_parquet(path: Path | str, table: pa.Table) -> None:
    """Write a Parquet file atomically."""
    with atomic(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def with_facts(table: pa.Table, facts: Mapping[str, Any]) -> pa.Table:
    """Return a table with what its reader must know as JSON in the metadata of its schema."""
    text = json.dumps(dict(facts), sort_keys=True)
    return table.replace_schema_metadata({METADATA_KEY: text})


def facts_of(table: pa.Table) -> dict[str, Any]:
    """Return what `with_facts` has put into a table; nothing of one without facts."""
    facts: dict[str, Any] = json.loads((table.schema.metadata or {}).get(METADATA_KEY, "{}"))
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
    dims = embedding.shape[1]
    # Without nulls Parquet has no validity to store and rebuild: half the time, either way.
    list_type = pa.list_(pa.field("item", pa.float32(), nullable=False), dims)
    values = pa.FixedSizeListArray.from_arrays(
        numbers(embedding.astype(np.float32, copy=False)), type=list_type
    )
    schema = pa.schema(
        [pa.field("id", pa.string()), pa.field("embedding", list_type, nullable=False)],
        metadata={TOKENS_KEY: str(tokens)},
    )
    # Floats of an embedding neither repeat nor compress: plain pages read three times as fast.
    with atomic(path) as temporary:
        pq.write_table(
            pa.Table.from_arrays([strings(ids), values], schema=schema),
            temporary,
            compression="none",
            use_dictionary=False,
            write_statistics=False,
            row_group_size=max(1, 2**23 // dims),
        )


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
    """Yield the values of an embedding in their order, (n, D) float32 at a time."""
    with pq.ParquetFile(path, memory_map=True) as file:
        for group in range(file.num_row_groups):
            for chunk in file.read_row_group(group, columns=["embedding"])["embedding"].chunks:
                yield matrix(chunk)


def read_dims(path: Path | str) -> int:
    """Read how many dimensions an embedding has."""
    with pq.ParquetFile(path) as file:
        return int(file.schema_arrow.field("embedding").type.list_size)


def read_tokens(path: Path | str) -> int:
    """Read how many tokens the pooling method of an embedding would hand to a model."""
    with pq.ParquetFile(path) as file:
        return int(file.schema_arrow.metadata[TOKENS_KEY])


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
    raise LatentmapError(f"{path} {problem}. Delete it and run again.")
