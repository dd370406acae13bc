import numpy as np
import pyarrow as pa
import pytest

from latentmap.errors import LatentmapError
from latentmap.store.files import reading
from latentmap.store.maps import read_map, write_map
from latentmap.store.tables import facts_of, with_facts


@pytest.mark.parametrize("dims", [2, 3])
def test_a_map_comes_back_with_its_facts(tmp_path, dims):
    places = np.random.default_rng(0).normal(size=(4, dims)).astype(np.float32)
    write_map(tmp_path / "umap.parquet", list("abcd"), places, {"far": 0.5})
    found = read_map(tmp_path / "umap.parquet", list("abcd"))
    assert found.ids == list("abcd")
    assert found.facts == {"far": 0.5}
    np.testing.assert_array_equal(found.coordinates, places)


def test_a_map_of_other_samples_is_refused(tmp_path):
    write_map(tmp_path / "umap.parquet", ["a", "b"], np.zeros((2, 2), np.float32), {})
    assert read_map(tmp_path / "umap.parquet").ids == ["a", "b"]
    with pytest.raises(LatentmapError, match=r"umap.parquet has id 'b' in row 1 where 'c'"):
        read_map(tmp_path / "umap.parquet", ["a", "c"])


def test_facts_replace_those_that_a_table_has():
    table = pa.table({"id": ["a"]})
    assert facts_of(table) == {}
    assert facts_of(with_facts(with_facts(table, {"k": 1}), {"n": [2]})) == {"n": [2]}


def test_a_damaged_file_is_one_line_and_an_error_of_ours_stays():
    with (
        pytest.raises(LatentmapError, match=r"^a.json is not a ranking \(KeyError.*run again\.$"),
        reading("a.json", "a ranking"),
    ):
        {}["metrics"]
    with pytest.raises(LatentmapError, match=r"^as it was$"), reading("a.json", "a ranking"):
        raise LatentmapError("as it was")
