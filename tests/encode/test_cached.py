import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from latentmap.draw.boxes import DrawOptions
from latentmap.encode.encoder import ENCODERS
from latentmap.encode.shard import encode_shard
from latentmap.errors import LatentmapError
from latentmap.store.latents import read_latents

SAVE = {"compressed": np.savez_compressed, "stored": np.savez}


@pytest.fixture(params=sorted(SAVE))
def cache(request, tmp_path):
    latents = np.random.default_rng(0).normal(size=(20, 4, 6, 5)).astype(np.float32)
    path = tmp_path / "cache.npz"
    SAVE[request.param](path, metadata=np.array("{}"), latents=latents, thumbnails=np.array("{}"))
    return path, latents


def encode(path, rows: list[int]) -> np.ndarray:
    encoder = ENCODERS.create("cached", {"input": str(path)})
    encoder.load()
    inputs = [encoder.prepare({"id": "s", "npz_row": row}, None) for row in rows]
    return encoder.encode(inputs)


@pytest.mark.parametrize("rows", [[0], [3, 4, 9], [19, 2, 2, 7]])
def test_rows_come_as_they_are_in_any_order(cache, rows):
    path, latents = cache
    np.testing.assert_array_equal(encode(path, rows), latents[rows])


def test_a_shard_keeps_float32(cache, make_sample, write_samples, tmp_path):
    path, latents = cache
    rows = [make_sample(n, image=None, npz_row=row) for n, row in enumerate([5, 1, 12])]
    samples = write_samples(rows, extra=pa.schema([("npz_row", pa.int64())]))
    encoder = ENCODERS.create("cached", {"input": str(path), "batch_size": 2})
    encode_shard(samples, tmp_path / "latents.arrow", encoder, "plain", DrawOptions())
    values = read_latents(tmp_path / "latents.arrow").values
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, latents[[5, 1, 12]])


def test_arrays_stored_column_by_column_are_read(cache):
    path, latents = cache
    np.savez_compressed(path, latents=np.asfortranarray(latents))
    np.testing.assert_array_equal(encode(path, [19, 2, 2, 7]), latents[[19, 2, 2, 7]])


def test_channels_that_come_last_are_seen_and_can_be_said(cache):
    path, latents = cache
    last = np.moveaxis(latents[..., :5, :], 1, -1)  # (20, 5, 5, 4)
    np.savez(path, latents=last)
    encoder = ENCODERS.create("cached", {"input": str(path), "name": "mine"})
    [remark] = encoder.remarks()
    assert remark.action == "noted" and remark.count == 20
    assert remark.in_short() == (
        "latents of shape (20, 5, 5, 4): read as 5 channels of 5 × 4, not as 4 of 5 × 5. Set "
        "'layout' of the encoder 'mine' to nhwc if channels are last."
    )
    said = ENCODERS.create("cached", {"input": str(path), "layout": "nhwc"})
    assert not said.remarks() and said.shape() == (4, 5, 5)
    assert said.settings() != encoder.settings()
    said.load()
    inputs = [said.prepare({"id": "s", "npz_row": row}, None) for row in (3, 1)]
    np.testing.assert_array_equal(said.encode(inputs), latents[[3, 1], :, :5])
    for shape in ((2, 4, 5, 5), (2, 5, 5, 5), (2, 3, 4, 5), (2, 8)):
        np.savez(path, latents=np.zeros(shape, np.float32))
        assert not ENCODERS.create("cached", {"input": str(path)}).remarks()


def test_half_precision_caches_are_read(tmp_path):
    latents = np.arange(48, dtype=np.float16).reshape(3, 1, 4, 4)
    np.savez(tmp_path / "half.npz", latents=latents)
    np.testing.assert_array_equal(encode(tmp_path / "half.npz", [2]), latents[2:])


def test_the_array_is_never_held_whole(tmp_path):
    latents = np.zeros((1024, 4, 64, 64), np.float32)
    np.savez_compressed(tmp_path / "large.npz", latents=latents)
    tracemalloc.start()
    encode(tmp_path / "large.npz", [1000, 1001])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.75 * latents.nbytes


def test_the_shape_is_known_from_the_header(cache, tmp_path):
    path, latents = cache
    assert ENCODERS.create("cached", {"input": str(path)}).shape() == latents.shape[1:]
    for name in ("missing.npz", "broken.npz"):
        (tmp_path / "broken.npz").write_bytes(b"PK")
        assert ENCODERS.create("cached", {"input": str(tmp_path / name)}).shape() is None


def test_the_revision_follows_the_content(tmp_path):
    path = tmp_path / "cache.npz"
    revisions = set()
    for value in (0, 1):
        np.savez(path, latents=np.full((1, 1, 2, 2), value, np.float32))
        revisions.add(ENCODERS.create("cached", {"input": str(path)}).revision())
    assert len(revisions) == 2


def test_bad_caches_are_named(tmp_path):
    def fails(path, match):
        with pytest.raises(LatentmapError, match=match):
            encode(path, [0])

    fails(tmp_path / "absent.npz", r"absent\.npz holds no readable latents")
    (tmp_path / "text.npz").write_text("no zip")
    fails(tmp_path / "text.npz", "not a zip file")
    np.savez(tmp_path / "other.npz", values=np.zeros(3))
    fails(tmp_path / "other.npz", r"latents\.npy")
    np.savez(tmp_path / "flat.npz", latents=np.zeros((3, 8), np.float32))
    fails(tmp_path / "flat.npz", r"float32 \(3, 8\)")
    np.savez(tmp_path / "empty.npz", latents=np.zeros((3, 8, 0, 4), np.float32))
    fails(tmp_path / "empty.npz", r"float32 \(3, 8, 0, 4\)")
    np.savez(tmp_path / "pickled.npz", latents=np.array([{}] * 4).reshape(1, 1, 2, 2))
    fails(tmp_path / "pickled.npz", "'latents' is object")


def test_a_path_may_begin_at_home_and_an_absent_file_is_named(cache, monkeypatch):
    path, _ = cache
    monkeypatch.setenv("HOME", str(path.parent))
    at_home = ENCODERS.create("cached", {"input": f"~/{path.name}"})
    assert at_home.revision() == ENCODERS.create("cached", {"input": str(path)}).revision()
    with pytest.raises(LatentmapError, match=r"gone\.npz: No such file.* 'input'"):
        ENCODERS.create("cached", {"input": "~/gone.npz"}).revision()


def test_rows_that_are_not_there_are_named(cache):
    path, _ = cache
    with pytest.raises(LatentmapError, match="has 20 latents and no row 20"):
        encode(path, [0, 20])
    with pytest.raises(LatentmapError, match="'s' has no npz_row"):
        ENCODERS.create("cached", {"input": str(path)}).prepare({"id": "s"}, None)
    with pytest.raises(LatentmapError, match="needs 'input'"):
        ENCODERS.create("cached").load()
