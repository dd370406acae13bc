"""Tables come back as they were written, and wrong ones are named."""

import numpy as np
import pyarrow as pa
import pytest

from latentmap.errors import LatentmapError
from latentmap.store.latents import read_latents, write_latents
from latentmap.store.tables import check_ids, read_arrow, write_arrow


def test_latents_are_a_view_of_the_file(tmp_path):
    values = np.random.default_rng(0).normal(size=(5, 4, 3, 2)).astype(np.float16)
    write_latents(tmp_path / "l.arrow", list("abcde"), values, {"calibration": {"count": 5}})
    shard = read_latents(tmp_path / "l.arrow")
    assert shard.ids == list("abcde")
    assert shard.values.dtype == np.float16
    np.testing.assert_array_equal(shard.values, values)
    assert shard.metadata == {"calibration": {"count": 5}}
    assert not shard.values.flags.owndata


def test_same_latents_give_the_same_bytes(tmp_path):
    values = np.ones((2, 3), np.float32)
    for name in ("a", "b"):
        write_latents(tmp_path / name, ["x", "y"], values, {"b": 1, "a": 2})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_half_a_file_is_one_clear_line(tmp_path):
    path = tmp_path / "t.arrow"
    write_arrow(path, pa.table({"id": ["a"] * 1000}))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(LatentmapError, match=r"t\.arrow is not a complete Arrow file"):
        read_arrow(path)


def test_rows_that_differ_are_named():
    check_ids("f", ["a", "b"], ["a", "b"])
    with pytest.raises(LatentmapError, match="f has id 'x' in row 1 where 'b' is expected"):
        check_ids("f", ["a", "x"], ["a", "b"])
    with pytest.raises(LatentmapError, match="f has 1 rows where 2 are expected"):
        check_ids("f", ["a"], ["a", "b"])
