"""Images and texts in memory are encoded as a run encodes them."""

from io import BytesIO

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

import latentmap as lm
from latentmap.draw.boxes import DrawOptions
from latentmap.encode.encoder import ENCODERS, Encoder
from latentmap.encode.fit import fit_encoder
from latentmap.encode.shard import encode_shard
from latentmap.errors import LatentmapError
from latentmap.store.latents import read_latents
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow

TEXTS = ["a cat sat", "a dog ran far", "the cat ran", "dogs and cats"]


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (4, 48, 64, 3), np.uint8)


def png(pixels):
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def encoded(tmp_path):
    """Encode samples through the files of a run."""

    def encode(known, kind, **options):
        count = len(next(iter(known.values())))
        ids = [f"s{row}" for row in range(count)]
        columns = dict.fromkeys(("id", "source", "source_group", "digest"), ids) | known
        rows = {f.name: pa.array(columns.get(f.name, [None] * count), f.type) for f in SCHEMA}
        paths = [tmp_path / name for name in ("samples", "latents", "fit")]
        write_arrow(paths[0], pa.table(rows, schema=SCHEMA))
        encoder = ENCODERS.create(kind, options)
        if kind == "tfidf":
            fit_encoder([paths[0]], paths[2], encoder)
        encode_shard(paths[0], paths[1], encoder, "plain", DrawOptions(), 1, paths[2])
        return read_latents(paths[1]).values

    return encode


def test_images_are_encoded_as_a_run_encodes_them(pictures, encoded):
    written = encoded({"image": list(map(png, pictures))}, "dct", size=64)
    found = lm.encode(pictures, "dct", size=64)
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found, written)


def test_an_image_comes_in_many_forms(pictures, tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "0.png"
    path.write_bytes(png(pictures[0]))
    forms = [pictures[0], Image.fromarray(pictures[0]), path, str(path), png(pictures[0])]
    found = lm.encode([*forms, torch.from_numpy(pictures[0])], "dct", size=64)
    assert all((one == found[0]).all() for one in found)


def test_an_encoder_of_texts_is_fitted_to_them(encoded):
    written = encoded({"text": TEXTS}, "tfidf")
    np.testing.assert_array_equal(lm.encode(TEXTS, "tfidf"), written)


class Brightness(Encoder):
    """The mean of all pixels."""

    rank = "vector"
    needs = "images"

    def prepare(self, sample, show):
        return np.asarray(show(sample))

    def encode(self, batch):
        return np.array([[image.mean()] for image in batch], np.float32)


def test_a_class_of_ones_own_encodes(pictures):
    found = lm.encode(pictures, Brightness, precision="float32")
    np.testing.assert_allclose(found[:, 0], pictures.mean(axis=(1, 2, 3)), rtol=1e-6)


@pytest.mark.parametrize(
    ("samples", "encoder", "said"),
    [
        ([np.zeros((4, 4))], "dct", r"Image 0 is an array \(4, 4\) of float64; \(H, W, 3\)"),
        (["nowhere.png"], "dct", "Image 0, nowhere.png: No such file"),
        ([b"GIF"], "dct", "Image 0 cannot be read"),
        (["a text", " "], "tfidf", "Text 1 is ' '; every sample needs a text"),
        ([], "dct", "nothing to encode"),
        (["a"], "cached", "reads no images or texts"),
        (["a"], "cdt", "Unknown encoder 'cdt'. Did you mean 'dct'"),
    ],
)
def test_what_cannot_be_encoded_is_told_in_one_line(samples, encoder, said):
    with pytest.raises(LatentmapError, match=said):
        lm.encode(samples, encoder)
