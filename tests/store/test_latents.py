import numpy as np
import pyarrow as pa
import pytest

from latentmap.store.latents import read_latents, write_latents
from latentmap.store.tables import matrix, numbers


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_latents_come_back_without_a_copy(tmp_path, dtype):
    values = np.random.default_rng(0).normal(size=(5, 3, 4, 2)).astype(dtype)
    write_latents(tmp_path / "shard.arrow", list("abcde"), values, {"calibration": None})
    before = pa.total_allocated_bytes()
    shard = read_latents(tmp_path / "shard.arrow")
    assert pa.total_allocated_bytes() == before
    assert shard.ids == list("abcde") and shard.metadata == {"calibration": None}
    assert shard.values.dtype == dtype
    np.testing.assert_array_equal(shard.values, values)


def test_a_column_of_one_chunk_is_viewed_and_of_several_joined():
    values = np.arange(12, dtype=np.float32).reshape(6, 2)
    rows = pa.FixedSizeListArray.from_arrays(numbers(values), 2)
    viewed = matrix(pa.chunked_array([rows]))
    assert np.shares_memory(viewed, values)
    joined = matrix(pa.chunked_array([rows[:2], rows[2:]]))
    np.testing.assert_array_equal(joined, values)
