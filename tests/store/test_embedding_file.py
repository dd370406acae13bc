"""The embedding's file: id + fixed-size list<float32>[D]."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentmap.store.tables import read_embedding, read_tokens, write_embedding


@pytest.mark.parametrize(
    ("rows", "dims", "groups"), [(0, 3, 1), (1, 1, 1), (5, 3, 1), (6, 2**21, 2)]
)
def test_round_trip(tmp_path: Path, rows: int, dims: int, groups: int) -> None:
    path = tmp_path / "embedding.parquet"
    values = np.random.default_rng(0).normal(size=(rows, dims)).astype(np.float32)
    ids = [f"s{row}" for row in range(rows)]
    write_embedding(path, ids, values, tokens=7)
    found, read = read_embedding(path)
    assert found == ids
    assert read_tokens(path) == 7
    np.testing.assert_array_equal(read, values)
    assert pq.ParquetFile(path).num_row_groups == groups


def test_other_tools_see_a_fixed_size_list(tmp_path: Path) -> None:
    path = tmp_path / "embedding.parquet"
    write_embedding(path, ["a", "b"], np.array([[1, 2], [3, 4]], np.float32), 1)
    column = pq.read_schema(path).field("embedding").type
    assert pa.types.is_fixed_size_list(column)
    assert (column.list_size, column.value_type) == (2, pa.float32())
    assert pq.read_table(path)["embedding"].to_pylist() == [[1, 2], [3, 4]]
