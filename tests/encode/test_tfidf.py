import numpy as np
import pyarrow as pa
import pytest

from latentmap.draw.boxes import DrawOptions
from latentmap.encode.encoder import ENCODERS
from latentmap.encode.fit import fit_encoder
from latentmap.encode.shard import encode_shard
from latentmap.errors import LatentmapError
from latentmap.store.latents import read_latents
from latentmap.store.tables import read_parquet

OPTIONS = {"name": "tfidf", "dims": 6, "min_df": 2}
COLORS, SHAPES = ["red", "blue", "green"], ["sphere", "cube", "cone"]
WORDS = [*COLORS, *SHAPES, "left", "right", "above", "below", "near", "far"]


def corpus(count: int = 60) -> list[str]:
    random = np.random.default_rng(0)
    return [" ".join(random.choice(WORDS, random.integers(2, 9))) for _ in range(count)]


def table(texts: list[str]) -> pa.Table:
    return pa.table({"id": [f"s{row}" for row in range(len(texts))], "text": texts})


def fitted(texts: list[str], **options):
    encoder = ENCODERS.create("tfidf", {**OPTIONS, **options})
    encoder.use(encoder.fit(table(texts)))
    return encoder


def encode(encoder, texts: list[str]) -> np.ndarray:
    return encoder.encode([encoder.prepare({"id": "s", "text": text}, None) for text in texts])


def test_the_report_is_told_what_it_is_fitted_to():
    assert ENCODERS.create("tfidf", OPTIONS).revision().startswith("fitted to all samples")


@pytest.fixture
def shards(make_sample, write_samples):
    """Two shards of texts without images."""
    rows = [
        make_sample(row, text=text, image=None, width=None, height=None)
        for row, text in enumerate(corpus())
    ]
    return [write_samples(rows[:40], "a.arrow"), write_samples(rows[40:], "b.arrow")]


@pytest.mark.parametrize("options", [{}, {"ngrams": 2, "sublinear_tf": False, "max_features": 30}])
def test_it_is_what_scikit_learn_gives(options):
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    chosen = {"ngrams": 1, "sublinear_tf": True, "max_features": None, **options}
    vectorizer = TfidfVectorizer(ngram_range=(1, chosen.pop("ngrams")), min_df=2, **chosen)
    expected = TruncatedSVD(6, random_state=0).fit_transform(vectorizer.fit_transform(corpus()))
    found = encode(fitted(corpus(), **options), corpus())
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found, expected * signs, atol=1e-5)


def test_two_kinds_of_words_are_two_axes():
    found = encode(fitted(["red blue", "blue red", "cube cone", "cone cube"] * 3, dims=8), WORDS)
    assert found.shape == (len(WORDS), 2)  # the corpus has rank two
    red, blue, green, _, cube, cone, *_ = found
    np.testing.assert_allclose(red, blue, atol=1e-6)
    np.testing.assert_allclose(cube, cone, atol=1e-6)
    assert abs(red @ cube) < 1e-6
    assert np.linalg.norm(red) == pytest.approx(np.sqrt(0.5), abs=1e-6)
    assert not green.any()  # a word that the corpus does not have


def test_a_rare_kind_of_text_in_a_large_corpus_keeps_its_axis():
    # Rows have unit length, so that singular values are the roots of how many texts are alike.
    texts = ["red sphere"] * 60_000 + ["blue cube"] * 2
    found = encode(fitted(texts), ["red sphere", "blue cube"])
    np.testing.assert_allclose(np.abs(found), np.eye(2), atol=1e-6)


def test_unseen_texts_take_the_terms_that_they_share_with_the_corpus():
    encoder = fitted(corpus())
    seen, unseen = encode(encoder, ["red sphere", "a purple RED, sphere!"])
    np.testing.assert_array_equal(seen, unseen)


def test_the_job_encodes_every_shard_with_what_it_learned_from_all(shards, tmp_path):
    encoder = ENCODERS.create("tfidf", OPTIONS)
    fit = tmp_path / "fit.parquet"
    fit_encoder(shards, fit, encoder)
    found = []
    for shard in shards:
        output = tmp_path / "out.arrow"
        job = ENCODERS.create("tfidf", OPTIONS)
        encode_shard(shard, output, job, "plain", DrawOptions(), fit_path=fit)
        found.append(np.array(read_latents(output).values))
    np.testing.assert_array_equal(np.concatenate(found), encode(fitted(corpus()), corpus()))
    assert read_parquet(fit)["term"].to_pylist() == sorted(WORDS)


def test_files_are_byte_identical_with_any_number_of_threads(shards, tmp_path):
    from threadpoolctl import threadpool_limits

    files = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            fit = tmp_path / f"{threads}.parquet"
            fit_encoder(shards, fit, ENCODERS.create("tfidf", OPTIONS))
            files.append(fit.read_bytes())
    assert files[0] == files[1]


def test_what_cannot_be_fitted_is_one_clear_line(write_samples, make_sample, tmp_path):
    with pytest.raises(LatentmapError, match=r"too few terms that are in 5 or more of 3 texts"):
        fitted(["one two", "three four", "five six"], min_df=5)
    with pytest.raises(LatentmapError, match=r"too few terms .*set a lower min_df"):
        fitted(["one", "one", "one two"])
    encoder = ENCODERS.create("tfidf", OPTIONS)
    with pytest.raises(LatentmapError, match="'s00' has no text"):
        fit_encoder([write_samples([make_sample(0)])], tmp_path / "fit.parquet", encoder)
    # The joined table is none of them: sealing fails too, and snakemake deletes what it wrote.
    with pytest.raises(LatentmapError, match=r"encoder 'tfidf' to: .* in samples/quarantine/ of"):
        fit_encoder([write_samples([])], tmp_path / "fit.parquet", encoder)
    assert not (tmp_path / "fit.parquet").exists()
