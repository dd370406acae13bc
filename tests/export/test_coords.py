import numpy as np
import pytest

from latentmap.errors import LatentmapError
from latentmap.export.coords import export_coords, place_files
from latentmap.store.maps import write_map

POINTS = np.array([[1, 2], [3, 4], [5, 6]], np.float32)


@pytest.fixture
def cache(make_cache, tmp_path):
    names = ["c", "a", "gone\n", "b", "a"]
    return make_cache(tmp_path / "seed1", np.zeros((5, 4), np.float32), [0] * 5, names)


def test_coordinates_are_in_the_order_of_the_metadata(cache, tmp_path):
    write_map(tmp_path / "umap.parquet", ["a", "gone ", "a#2"], POINTS, {})
    output = tmp_path / "vis_umap_coords.npy"
    export_coords([tmp_path / "umap.parquet"], cache, "file_name", [output])
    coords = np.load(output, allow_pickle=False)
    assert coords.dtype == np.float32
    nothing = [np.nan, np.nan]
    np.testing.assert_array_equal(coords, [nothing, [1, 2], [3, 4], nothing, [5, 6]])


def test_a_sample_that_the_cache_does_not_have_is_an_error(cache, tmp_path):
    write_map(tmp_path / "umap.parquet", ["a", "b", "strange"], POINTS, {})
    with pytest.raises(LatentmapError, match="has no row 'strange'"):
        export_coords([tmp_path / "umap.parquet"], cache, "file_name", [tmp_path / "out.npy"])


@pytest.fixture
def contents(tmp_path):
    """Three files to write: one is new, one is there as it is, one is there and differs."""
    for name, there in (("same", "same"), ("other", "mine")):
        (tmp_path / f"{name}.npy").write_text(there)
    return {tmp_path / f"{name}.npy": name.encode() for name in ("new", "same", "other")}


def test_nothing_is_written_where_anything_would_be_lost(contents, tmp_path):
    with pytest.raises(LatentmapError, match=r"other\.npy\. Nothing was written"):
        place_files(contents, overwrite=False)
    assert not (tmp_path / "new.npy").exists()
    assert (tmp_path / "other.npy").read_text() == "mine"


def test_files_are_replaced_when_told_and_left_where_they_are_the_same(contents, tmp_path):
    before = (tmp_path / "same.npy").stat().st_mtime_ns
    place_files(contents, overwrite=True)
    for name in ("new", "same", "other"):
        assert (tmp_path / f"{name}.npy").read_text() == name
    assert (tmp_path / "same.npy").stat().st_mtime_ns == before
    place_files(contents, overwrite=False)


def test_no_cache_is_one_line():
    with pytest.raises(LatentmapError, match="no maps of an encoder 'embedding_cache'"):
        place_files({}, overwrite=False)
