"""Arrow and Parquet tables, written atomically and without a clock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.store.files import atomic


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


def write_parquet(path: Path | str, table: pa.Table) -> None:
    """Write a Parquet file atomically."""
    with atomic(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def write_embedding(path: Path | str, ids: pa.Array, embedding: NDArray[np.float32]) -> None:
    """Write one embedding as id + fixed-size list<float32>[D].

    Args:
        path: the Parquet file.
        ids: (N,) strings.
        embedding: (N, D) float32.
    """
    dims = embedding.shape[1]
    values = pa.FixedSizeListArray.from_arrays(
        pa.array(np.ascontiguousarray(embedding, np.float32).reshape(-1)), dims
    )
    table = pa.table({"id": ids, "embedding": values})
    # Floats of an embedding neither repeat nor compress: plain pages read three times as fast.
    with atomic(path) as temporary:
        pq.write_table(
            table,
            temporary,
            compression="none",
            use_dictionary=False,
            write_statistics=False,
            row_group_size=max(1, 2**26 // dims),
        )


def read_embedding(path: Path | str) -> tuple[list[str], NDArray[np.float32]]:
    """Read one embedding: ids (N,) and values (N, D) float32."""
    table = pq.read_table(path)
    column = table["embedding"].combine_chunks()
    dims = column.type.list_size
    values = column.flatten().to_numpy(zero_copy_only=True)
    return table["id"].to_pylist(), values.reshape(-1, dims)


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
