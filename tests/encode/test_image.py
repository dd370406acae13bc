"""Tiny towers with random weights, saved as the published ones are, through the code that loads."""

import json

import numpy as np
import pytest
from PIL import Image

from latentmap.draw.boxes import DrawOptions, show
from latentmap.encode.checkpoints import read_checkpoint
from latentmap.encode.encoder import ENCODERS
from latentmap.encode.shard import encode_shard
from latentmap.errors import LatentmapError
from latentmap.run import load_run
from latentmap.store.latents import read_latents

SIDE, PATCH = 32, 8
GRID = SIDE // PATCH

VIT = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": SIDE,
    "patch_size": PATCH,
}
TEXT = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "vocab_size": 50,
    "max_position_embeddings": 8,
    "projection_size": 32,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 1,
}
CLIP = {"vision_config": {**VIT, "projection_dim": 24}, "text_config": TEXT, "projection_dim": 24}
NAFLEX = {**VIT, "num_patches": GRID**2}
del NAFLEX["image_size"]
# Merges patches twice; a convolutional network has a feature map and no tokens.
SWIN = {"image_size": SIDE, "patch_size": 2, "embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2]}
RESNET = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"}

IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
SQUARE = {"size": {"height": SIDE, "width": SIDE}}
CROP = {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}}

# Model, its configuration, the image processor that published models of the kind come with, and
# how many tokens come before the patches.
MODELS = {
    "CLIPModel": (CLIP, "CLIPImageProcessor", CROP, 1),
    "CLIPVisionModelWithProjection": (CLIP["vision_config"], "CLIPImageProcessor", CROP, 1),
    "CLIPVisionModel": (CLIP["vision_config"], "CLIPImageProcessor", CROP, 1),
    "SiglipModel": ({"vision_config": VIT, "text_config": TEXT}, "SiglipImageProcessor", SQUARE, 0),
    "Siglip2Model": (
        {"vision_config": NAFLEX, "text_config": TEXT},
        "Siglip2ImageProcessor",
        {"patch_size": PATCH, "max_num_patches": GRID**2},
        0,
    ),
    "Dinov2Model": (VIT, "BitImageProcessor", {**CROP, **IMAGENET}, 1),
    "Dinov2WithRegistersModel": (
        {**VIT, "num_register_tokens": 4},
        "BitImageProcessor",
        {**CROP, **IMAGENET},
        5,
    ),
    "DINOv3ViTModel": (
        {**VIT, "num_register_tokens": 4},
        "DINOv3ViTImageProcessorFast",
        {**SQUARE, **IMAGENET, "resample": 2},
        5,
    ),
    "SwinModel": (SWIN, "ViTImageProcessor", SQUARE, 0),
    "ResNetModel": (RESNET, "ViTImageProcessor", SQUARE, 0),
}


def save(folder, name, config, processor, options, seed=0):
    """Make a model with random weights and save it as the published ones are."""
    import torch
    import transformers

    torch.manual_seed(seed)
    kind = getattr(transformers, name)
    model = kind(kind.config_class(**config)).eval()
    model.save_pretrained(folder)
    stated = {"image_processor_type": processor, **options}
    (folder / "preprocessor_config.json").write_text(json.dumps(stated))
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {
        name: save(tmp_path_factory.mktemp(name), name, *arguments[:3])
        for name, arguments in MODELS.items()
    }


def make(model, **options):
    return ENCODERS.create("image", {"model": str(model), "device": "cpu", **options})


def load(model, **options):
    encoder = make(model, **options)
    encoder.load()
    return encoder


def pictures(count: int = 3, side: int = SIDE) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8))


def direct(name, folder, images):
    """Call the model itself on what its own processor makes of the images."""
    import torch
    import transformers

    # DINOv3's own processor needs torchvision; it does what ViT's does.
    stand_in = {"DINOv3ViTModel": "ViTImageProcessorPil"}.get(name)
    if stand_in:
        processor = getattr(transformers, stand_in).from_pretrained(folder)
    else:
        processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    inputs = processor([Image.fromarray(image) for image in images], return_tensors="pt")
    model = getattr(transformers, name).from_pretrained(folder).eval()
    with torch.inference_mode():
        if hasattr(model, "get_image_features"):
            return model.get_image_features(**inputs)
        return model(**inputs)


@pytest.mark.parametrize("name", MODELS)
def test_a_pooled_latent_is_what_the_models_authors_compare_images_by(folders, name):
    output = direct(name, folders[name], pictures())
    pooled = getattr(output, "image_embeds", None)
    expected = (output.pooler_output if pooled is None else pooled).flatten(1).numpy()
    found = load(folders[name]).encode(pictures())
    assert found.dtype == np.float32
    projected = name in ("CLIPModel", "CLIPVisionModelWithProjection")
    hierarchical = name in ("SwinModel", "ResNetModel")
    assert found.shape[1] == (24 if projected else 16 if hierarchical else 32)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.median(found.std(axis=0)) > 1e-4
    np.testing.assert_array_equal(load(folders[name]).encode(pictures()), found)


@pytest.mark.parametrize("name", MODELS)
def test_tokens_are_the_last_hidden_states_of_the_patches_in_place(folders, name):
    hidden = direct(name, folders[name], pictures()).last_hidden_state.numpy()
    found = load(folders[name], output="tokens").encode(pictures())
    if name == "ResNetModel":
        expected = hidden
    else:
        side = {"SwinModel": 8}.get(name, GRID)
        prefix = MODELS[name][3]
        assert hidden.shape[1] == prefix + side**2
        expected = np.stack(
            [
                [hidden[:, prefix + row * side + column] for column in range(side)]
                for row in range(side)
            ]
        ).transpose(2, 3, 0, 1)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("size", [None, 2 * SIDE])
def test_the_shape_of_tokens_is_known_before_where_patches_stay_as_they_are(folders, name, size):
    encoder = make(folders[name], output="tokens", size=size)
    shape = encoder.shape()
    encoder.load()
    found = encoder.encode(pictures(1, size or SIDE)).shape[1:]
    assert shape == (None if name in ("SwinModel", "ResNetModel") else found)
    assert make(folders[name]).shape() is None


@pytest.mark.parametrize("name", ["CLIPModel", "Siglip2Model", "Dinov2WithRegistersModel"])
def test_a_bright_quadrant_moves_the_tokens_in_its_place(folders, name, make_sample):
    dark = np.zeros((40, 80, 3), np.uint8)
    bright = dark.copy()
    bright[:20, 40:] = 255  # the upper right of a picture that is no square
    encoder = load(folders[name], output="tokens")
    images = [encoder.prepare(make_sample(pixels=each), plain) for each in (dark, bright)]
    maps = encoder.encode(images)
    moved = np.linalg.norm(maps[1] - maps[0], axis=0)
    inside = np.zeros((GRID, GRID), bool)
    inside[: GRID // 2, GRID // 2 :] = True
    assert moved[inside].min() > 2 * moved[~inside].max()


def plain(sample):
    return show(sample, "plain", DrawOptions())


@pytest.mark.parametrize("name", ["CLIPModel", "SiglipModel", "Dinov2Model"])
def test_a_square_picture_of_any_size_is_seen_as_by_the_models_own_processor(
    folders, name, make_sample
):
    image = pictures(1, side=75)[0]
    output = direct(name, folders[name], [image]).pooler_output.numpy()
    encoder = load(folders[name])
    found = encoder.encode([encoder.prepare(make_sample(pixels=image), plain)])
    np.testing.assert_allclose(found, output, atol=1e-5)


def test_the_whole_of_a_wide_picture_is_seen(folders, make_sample):
    encoder = load(folders["CLIPModel"], resampling="nearest")
    wide = np.zeros((SIDE, 4 * SIDE, 3), np.uint8)
    wide[:, -4:] = 255  # a centre crop would not show it
    prepared = encoder.prepare(make_sample(pixels=wide), plain)
    assert prepared.shape == (SIDE, SIDE, 3)
    assert (prepared[:, -1] == 255).all() and (prepared[:, :-1] == 0).all()


@pytest.mark.parametrize("name", ["CLIPModel", "DINOv3ViTModel"])
def test_a_batch_is_what_its_samples_are(folders, name):
    encoder = load(folders[name])
    alone = np.concatenate([encoder.encode([image]) for image in pictures()])
    np.testing.assert_allclose(encoder.encode(pictures()), alone, atol=1e-5)


@pytest.mark.parametrize("output", ["pooled", "tokens"])
def test_normalised_vectors_have_length_one_and_their_direction(folders, output):
    raw = load(folders["SiglipModel"], output=output).encode(pictures())
    normal = load(folders["SiglipModel"], output=output, normalize=True).encode(pictures())
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    np.testing.assert_allclose(normal, raw / lengths, atol=1e-6)
    assert abs(lengths - 1).min() > 0.01


@pytest.mark.parametrize("name", ["CLIPModel", "SiglipModel", "Dinov2Model", "DINOv3ViTModel"])
def test_a_larger_size_gives_more_patches(folders, name):
    encoder = load(folders[name], output="tokens", size=2 * SIDE)
    found = encoder.encode(pictures(2, 2 * SIDE))
    assert found.shape == (2, 32, 2 * GRID, 2 * GRID)
    assert np.isfinite(found).all()
    with pytest.raises(LatentmapError, match=r"Size 36 is not a multiple of 8.*set size to 32"):
        load(folders[name], size=36)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_stays_near(folders, dtype):
    full = load(folders["CLIPModel"]).encode(pictures())
    half = load(folders["CLIPModel"], dtype=dtype).encode(pictures())
    assert half.dtype == np.float32
    assert 0 < np.abs(half - full).max() < 0.05 * np.abs(full).max()


def test_a_classifier_without_a_pooler_is_pooled_by_its_class_token(tmp_path):
    arguments = (VIT, "ViTImageProcessor", {**SQUARE, **IMAGENET})
    folder = save(tmp_path, "ViTForImageClassification", *arguments)
    import torch
    import transformers

    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    model = transformers.ViTForImageClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        pixels = processor([Image.fromarray(image) for image in pictures()], return_tensors="pt")
        hidden = model.vit(**pixels).last_hidden_state
    np.testing.assert_allclose(load(folder).encode(pictures()), hidden[:, 0].numpy(), atol=1e-5)


def test_a_tower_that_pools_nothing_says_so(tmp_path):
    config = {**VIT, "vision_use_head": False}
    folder = save(tmp_path, "SiglipVisionModel", config, "SiglipImageProcessor", SQUARE)
    with pytest.raises(LatentmapError, match="neither a pooler nor a class token; set output to"):
        load(folder).encode(pictures())
    assert load(folder, output="tokens").encode(pictures()).shape == (3, 32, GRID, GRID)


# ---- checkpoints -------------------------------------------------------------------------------


def fine_tune(name, folder):
    """Make another model of the same kind and return its folder and its weights."""
    from safetensors.torch import load_file

    saved = save(folder, name, *MODELS[name][:3], seed=1)
    return saved, load_file(saved / "model.safetensors")


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("CLIPModel", "safetensors"),
        ("CLIPModel", "openclip"),
        ("SiglipModel", "torch"),
        ("Dinov2WithRegistersModel", "safetensors"),
        ("DINOv3ViTModel", "compiled"),
    ],
)
def test_a_checkpoint_gives_the_latents_of_the_fine_tune(folders, tmp_path, name, form):
    import torch
    from safetensors.torch import save_file

    saved, weights = fine_tune(name, tmp_path / "tuned")
    path = tmp_path / ("weights.safetensors" if form == "safetensors" else "weights.pt")
    if form == "safetensors":
        save_file(weights, path)
    elif form == "torch":
        torch.save({**weights, "classifier.weight": torch.zeros(2, 32)}, path)
    elif form == "openclip":
        wrapped = {f"module.{key}": value for key, value in weights.items()}
        torch.save({"epoch": 3, "name": "run", "state_dict": wrapped}, path)
    else:
        wrapped = {f"_orig_mod.model.{key}": value for key, value in weights.items()}
        torch.save({"model": wrapped, "step": 7}, path)
    found = load(folders[name], checkpoint=str(path)).encode(pictures())
    np.testing.assert_array_equal(found, load(saved).encode(pictures()))
    assert np.abs(found - load(folders[name]).encode(pictures())).max() > 1e-3


def test_a_fine_tuned_classifier_gives_its_tower(tmp_path):
    arguments = (VIT, "ViTImageProcessor", SQUARE)
    base = save(tmp_path / "base", "ViTModel", *arguments)
    tuned = save(tmp_path / "tuned", "ViTForImageClassification", *arguments, seed=1)
    found = load(base, checkpoint=str(tuned / "model.safetensors")).encode(pictures())
    np.testing.assert_array_equal(found, load(tuned).encode(pictures()))


def test_a_checkpoint_of_another_model_is_refused_with_some_names(folders, tmp_path):
    import torch

    _, weights = fine_tune("CLIPModel", tmp_path / "tuned")
    path = tmp_path / "weights.pt"

    def refused(content, match):
        torch.save(content, path)
        with pytest.raises(LatentmapError, match=match) as caught:
            load(folders["CLIPModel"], checkpoint=str(path))
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)

    lacking = {k: v for k, v in weights.items() if "visual_projection" not in k}
    refused(lacking, r"lacks 1 of the model's weights \(visual_projection.weight\)")
    refused({}, r"lacks \d+ of the model's weights \(vision_model.embeddings")
    adapted = {**weights, "vision_model.encoder.layers.0.lora_A.weight": torch.zeros(2)}
    refused(adapted, r"has 1 unknown to it \(.*lora_A.*adapters merged")
    narrow = {k: v[:, :16] if "visual_projection" in k else v for k, v in weights.items()}
    refused(narrow, r"has 1 in another shape \(visual_projection.weight\)")
    with pytest.raises(LatentmapError, match="There is no checkpoint"):
        make(folders["CLIPModel"], checkpoint=str(tmp_path / "none.pt")).revision()


class Opened:
    """What a pickle may run."""

    def __reduce__(self):
        return (print, ("opened",))


def test_a_checkpoint_that_is_more_than_weights_is_not_opened(folders, tmp_path, capsys):
    import torch

    torch.save({"state_dict": {}, "model": Opened()}, tmp_path / "weights.pt")
    (tmp_path / "torn.safetensors").write_bytes(b"no weights")
    for name in ("weights.pt", "torn.safetensors", "none.pt"):
        with pytest.raises(LatentmapError, match=f"{name} cannot be read as weights only"):
            load(folders["CLIPModel"], checkpoint=str(tmp_path / name))
    assert "opened" not in capsys.readouterr().out


def test_a_checkpoint_without_names_is_refused_in_one_line(tmp_path):
    import torch

    torch.save(torch.zeros(3), tmp_path / "t.pt")
    with pytest.raises(LatentmapError, match=r"t\.pt holds no weights by name but a Tensor"):
        read_checkpoint(tmp_path / "t.pt")


def test_the_revision_follows_the_models_files_and_the_checkpoint(folders, tmp_path):
    folder, _ = fine_tune("Dinov2Model", tmp_path / "tuned")
    assert make(folder).revision() == make(folder).revision()
    assert make(folder).revision() != make(folders["Dinov2Model"]).revision()
    path = tmp_path / "weights.pt"
    path.write_bytes(b"one")
    before = make(folder, checkpoint=str(path)).revision()
    path.write_bytes(b"two")
    assert (
        len({before, make(folder).revision(), make(folder, checkpoint=str(path)).revision()}) == 3
    )
    assert make("organisation/model", revision="abc").revision() == "organisation/model@abc"


# ---- what cannot be loaded ---------------------------------------------------------------------


def test_a_model_of_texts_and_an_autoencoder_are_refused(tmp_path):
    import transformers

    config = {k: v for k, v in TEXT.items() if k != "projection_size"}
    transformers.BertModel(transformers.BertConfig(**config)).save_pretrained(tmp_path / "bert")
    with pytest.raises(LatentmapError, match="'bert', which encodes no images"):
        load(tmp_path / "bert")
    (tmp_path / "config.json").write_text(json.dumps({"_class_name": "AutoencoderKL"}))
    with pytest.raises(LatentmapError, match=f"The weights of {tmp_path} cannot be read"):
        load(tmp_path)


def test_a_masked_autoencoder_is_refused(tmp_path):
    import transformers

    transformers.ViTMAEConfig(**VIT).save_pretrained(tmp_path)
    with pytest.raises(LatentmapError, match="hides patches of every image at random"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["Dinov2Model", "CLIPModel"])
def test_a_tower_whose_weights_do_not_fit_is_refused(tmp_path, name):
    import torch
    from safetensors.torch import save_file

    folder, weights = fine_tune(name, tmp_path / "torn")
    fc1 = next(name for name in weights if name.endswith("fc1.weight") and "text" not in name)
    extra = fc1.replace("fc1", "lora")

    def refused(content, match):
        save_file(content, folder / "model.safetensors")
        with pytest.raises(LatentmapError, match=match) as caught:
            load(folder)
        assert "\n" not in str(caught.value)

    lacking = {k: v for k, v in weights.items() if k != fc1}
    refused(lacking, rf"lacks 1 of the model's weights \({fc1}\)")
    renamed = {**lacking, extra: weights[fc1]}
    refused(renamed, rf"lacks 1 of .* \({fc1}\) and has 1 unknown to it \({extra}\)")
    refused({**weights, fc1: torch.zeros(3, 3)}, rf"has 1 in another shape \({fc1}\)")
    # What belongs to other tasks, or only counts positions, changes nothing.
    positions = fc1.partition("encoder.")[0] + "embeddings.position_ids"
    harmless = {"classifier.weight": torch.zeros(2), positions: torch.arange(17)}
    save_file({**weights, **harmless}, folder / "model.safetensors")
    load(folder)


def test_weights_that_are_no_safetensors_and_a_lost_processor_are_refused(folders, tmp_path):
    import torch

    source = folders["Dinov2Model"]
    (tmp_path / "config.json").write_bytes((source / "config.json").read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(LatentmapError, match="safetensors"):
        load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes((source / "model.safetensors").read_bytes())
    with pytest.raises(LatentmapError, match=r"The image processor of .* cannot be read"):
        load(tmp_path)


# ---- in a run ----------------------------------------------------------------------------------


def test_the_output_decides_what_the_latents_are(folders, make_sample, write_samples, tmp_path):
    run = load_run(
        {
            "run": "towers",
            "samples": {"sources": [{"kind": "scenes"}]},
            "encoders": [
                {"kind": "image", "name": "vector", "model": "organisation/model"},
                {"kind": "image", "name": "map", "model": "a/b", "output": "tokens"},
            ],
        }
    )
    assert not run.has_channels("vector")
    assert run.has_channels("map")
    assert len(run.pooling_methods("map")) > len(run.pooling_methods("vector")) > 0

    samples = write_samples([make_sample(number) for number in range(5)])
    for output, shape in (("pooled", (24,)), ("tokens", (32, GRID, GRID))):
        encoder = make(folders["CLIPModel"], output=output, batch_size=2, precision="float32")
        path = tmp_path / f"{output}.arrow"
        encode_shard(samples, path, encoder, "boxes", DrawOptions(), threads=2)
        latents = read_latents(path)
        assert latents.values.shape == (5, *shape)
        assert latents.values.std(axis=0).max() > 1e-4
