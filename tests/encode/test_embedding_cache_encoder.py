import numpy as np
import pyarrow as pa
import pytest

from latentmap.draw.boxes import DrawOptions
from latentmap.encode.encoder import ENCODERS
from latentmap.encode.shard import encode_shard
from latentmap.errors import LatentmapError
from latentmap.run import load_run
from latentmap.store.latents import read_latents

VECTORS = np.arange(24, dtype=np.float32).reshape(6, 4)
EXTRA = pa.schema([("cache", pa.string()), ("cache_row", pa.int64())])


@pytest.fixture
def cache(make_cache, tmp_path):
    return make_cache(tmp_path / "caches" / "m_d" / "test" / "seed1", VECTORS, [0, 1, 2] * 2)


def encode(samples, folder, **options) -> np.ndarray:
    encoder = ENCODERS.create("embedding_cache", options)
    encode_shard(samples, folder / "latents.arrow", encoder, "plain", DrawOptions())
    return read_latents(folder / "latents.arrow").values


def test_rows_are_found_by_id_in_any_order(cache, make_sample, write_samples, tmp_path):
    rows = [make_sample(id=f"{row:03}.jpg", image=None) for row in (4, 0, 5)]
    values = encode(write_samples(rows), tmp_path, input=str(cache), batch_size=2)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, VECTORS[[4, 0, 5]])


def test_without_input_each_sample_has_its_own_cache(
    cache, make_cache, make_sample, write_samples, tmp_path
):
    other = make_cache(tmp_path / "other", -VECTORS, [0] * 6)
    wanted = [(cache, 2), (other, 3), (cache, 0)]
    rows = [
        make_sample(number, image=None, cache=str(folder), cache_row=row)
        for number, (folder, row) in enumerate(wanted)
    ]
    values = encode(write_samples(rows, extra=EXTRA), tmp_path)
    np.testing.assert_array_equal(values, [VECTORS[2], -VECTORS[3], VECTORS[0]])


def test_what_is_not_in_the_cache_is_named(cache, make_sample, write_samples, tmp_path):
    samples = write_samples(
        [make_sample(id="x", image=None, cache=str(cache), cache_row=6)], extra=EXTRA
    )
    with pytest.raises(LatentmapError, match="has no row 'x' in its column 'file_name'"):
        encode(samples, tmp_path, input=str(cache))
    with pytest.raises(LatentmapError, match="Did you mean 'file_name'"):
        encode(samples, tmp_path, input=str(cache), id="file")
    with pytest.raises(LatentmapError, match="has 6 embeddings and no row 6"):
        encode(samples, tmp_path)
    with pytest.raises(LatentmapError, match="'s00' comes from no cache"):
        encode(write_samples([make_sample(image=None)], "plain.arrow"), tmp_path)


def test_the_revision_follows_the_vectors(cache, make_cache, tmp_path):
    other = make_cache(tmp_path / "other", VECTORS + 1, [0, 1, 2] * 2)
    revisions = {
        ENCODERS.create("embedding_cache", {"input": str(folder)}).revision()
        for folder in (cache, other)
    }
    assert len(revisions) == 2


def configured(cache, **options):
    root = str(cache.parents[2])
    return load_run(
        {
            "run": "a",
            "input": root,
            "samples": {"sources": [{"kind": "embedding_cache"}]},
            "encoders": [{"kind": "embedding_cache", **options}],
        }
    ).encoders


def test_a_folder_of_caches_is_an_encoder_each(cache, make_cache):
    (single,) = configured(cache)
    assert (single.name, single.input) == ("m_d-test-seed1", str(cache))
    assert configured(cache, name="mine")[0].name == "mine"
    second = make_cache(cache.with_name("seed2"), VECTORS, [0, 1, 2] * 2)
    both = configured(cache, name="mine", precision="float16")
    assert [encoder.name for encoder in both] == ["mine-m_d-test-seed1", "mine-m_d-test-seed2"]
    assert [encoder.input for encoder in both] == [str(cache), str(second)]
    assert {encoder.precision for encoder in both} == {"float16"}


def test_a_configuration_is_valid_before_its_caches_are_there(tmp_path):
    (encoder,) = configured(tmp_path / "no" / "such" / "place")
    assert encoder.name == "embedding_cache"
