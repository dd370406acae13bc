import json
import re
import shutil

import numpy as np
import pytest

from latentmap.draw.boxes import DrawOptions, show
from latentmap.encode.calibration import calibrate
from latentmap.encode.encoder import ENCODERS
from latentmap.encode.encoders.vae import spatial_factor, stated_statistics
from latentmap.errors import LatentmapError

KL = {
    "block_out_channels": (8, 8, 8, 8),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "norm_num_groups": 4,
}

# Random weights, the architecture of the published models: their class, channels and factor.
MODELS = {
    "AutoencoderKLWan": {
        "base_dim": 4,
        "z_dim": 16,
        "num_res_blocks": 1,
    },
    "AutoencoderKLCosmos": {
        "latent_channels": 16,
        "encoder_block_out_channels": (8, 8, 8),
        "decode_block_out_channels": (8, 8, 8),
        "num_layers": 1,
        "attention_resolutions": (),
    },
    "AutoencoderKL": {**KL, "latent_channels": 4},
    "AutoencoderTiny": {
        "latent_channels": 16,
        "encoder_block_out_channels": (8, 8, 8, 8),
        "decoder_block_out_channels": (8, 8, 8, 8),
        "num_encoder_blocks": (1, 1, 1, 1),
        "num_decoder_blocks": (1, 1, 1, 1),
    },
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Make one tiny model of every class, saved as the published ones are."""
    import diffusers
    import torch

    made = {}
    for name, arguments in MODELS.items():
        torch.manual_seed(0)
        made[name] = tmp_path_factory.mktemp(name)
        getattr(diffusers, name)(**arguments).save_pretrained(made[name])
    return made


def load(folder, **options):
    encoder = ENCODERS.create("vae", {"model": str(folder), "size": 64, "device": "cpu", **options})
    encoder.load()
    return encoder


def images(count: int = 3, side: int = 64) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8))


@pytest.mark.parametrize("name", MODELS)
def test_latents_have_the_models_shape_and_are_deterministic(folders, name):
    encoder = load(folders[name])
    latents = encoder.encode(images())
    channels = MODELS[name]["latent_channels" if name != "AutoencoderKLWan" else "z_dim"]
    assert latents.shape == (3, channels, 8, 8)
    assert latents.dtype == np.float32
    assert np.isfinite(latents).all()
    assert latents.std() > 0
    np.testing.assert_array_equal(encoder.encode(images()), latents)
    np.testing.assert_array_equal(load(folders[name]).encode(images()), latents)


@pytest.mark.parametrize("name", MODELS)
def test_latents_are_the_mode_of_pixels_between_minus_one_and_one(folders, name):
    import diffusers
    import torch

    model = getattr(diffusers, name).from_pretrained(folders[name]).eval()
    pixels = torch.from_numpy(np.stack(images())).permute(0, 3, 1, 2).float() / 255 * 2 - 1
    is_video = name in ("AutoencoderKLWan", "AutoencoderKLCosmos")
    with torch.inference_mode():
        output = model.encode(pixels[:, :, None] if is_video else pixels)
    expected = output.latents if name == "AutoencoderTiny" else output.latent_dist.mode()
    expected = expected[:, :, 0] if is_video else expected
    found = load(folders[name]).encode(images())
    np.testing.assert_allclose(found, expected.numpy(), atol=2e-4 * expected.std().item())


@pytest.mark.parametrize("name", MODELS)
def test_the_shape_is_known_before(folders, tmp_path, monkeypatch, name):
    found = load(folders[name]).encode(images(1)).shape[1:]
    options = {"model": str(folders[name]), "size": 64}
    assert ENCODERS.create("vae", options).shape() == found
    assert ENCODERS.create("vae", {**options, "model": "no/such"}).shape() is None
    # As the hub's own library keeps a model that was fetched before.
    cache = tmp_path / "models--some--vae"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text("0" * 40)
    shutil.copytree(folders[name], cache / "snapshots" / ("0" * 40))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert ENCODERS.create("vae", {**options, "model": "some/vae"}).shape() == found


def test_a_batch_is_what_its_samples_are(folders):
    encoder = load(folders["AutoencoderKLWan"])
    together = encoder.encode(images())
    alone = np.concatenate([encoder.encode([image]) for image in images()])
    np.testing.assert_allclose(together, alone, atol=1e-4 * together.std())


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_stays_near(folders, dtype):
    full = load(folders["AutoencoderTiny"]).encode(images())
    half = load(folders["AutoencoderTiny"], dtype=dtype).encode(images())
    assert half.dtype == np.float32
    assert 0 < np.abs(half - full).max() < 0.1 * np.abs(full).max()


def test_normalising_takes_the_models_own_statistics(folders):
    name = "AutoencoderKLWan"
    config = json.loads((folders[name] / "config.json").read_text())
    raw, normal = load(folders[name]), load(folders[name], normalize=True)
    mean, std = (np.array(config[key])[:, None, None] for key in ("latents_mean", "latents_std"))
    expected = (raw.encode(images()) - mean) / std
    np.testing.assert_allclose(normal.encode(images()), expected, rtol=1e-4, atol=1e-5)
    assert raw.statistics().mean == tuple(config["latents_mean"])
    assert raw.statistics().std == tuple(config["latents_std"])
    assert normal.statistics().mean == (0,) * 16
    assert normal.statistics().std == (1,) * 16


def test_cosmos_states_statistics_per_frame_and_the_first_frames_are_taken(folders):
    from diffusers.models.autoencoders.autoencoder_kl_cosmos import LATENTS_MEAN, LATENTS_STD

    stated = load(folders["AutoencoderKLCosmos"]).statistics()
    assert stated.mean == tuple(LATENTS_MEAN[::16])
    assert stated.std == tuple(LATENTS_STD[::16])


def test_a_scaling_factor_is_one_over_the_deviation(folders):
    assert load(folders["AutoencoderKL"]).statistics().std == pytest.approx((1 / 0.18215,) * 4)
    shifted = {"latent_channels": 2, "scaling_factor": 0.5, "shift_factor": 0.1}
    assert stated_statistics(shifted).mean == (0.1, 0.1)
    assert stated_statistics(shifted).std == (2, 2)
    assert stated_statistics({"latent_channels": 2, "scaling_factor": 1.0}) is None
    assert (
        stated_statistics({"z_dim": 3, "latents_mean": [0] * 16, "latents_std": [1] * 16}) is None
    )


def with_statistics(folder, tmp_path, mean, std):
    """Copy a model and state its statistics beside its weights, as our own training does."""
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    stated = {"latents_mean": list(mean), "latents_std": list(std)}
    (tmp_path / "reconstruction.json").write_text(json.dumps(stated))
    return tmp_path


def test_a_local_model_states_statistics_beside_its_weights(folders, tmp_path):
    assert load(folders["AutoencoderTiny"]).statistics() is None
    folder = with_statistics(folders["AutoencoderTiny"], tmp_path, range(16), range(1, 17))
    assert load(folder).statistics().mean == tuple(range(16))
    assert load(folder).statistics().std == tuple(range(1, 17))
    with pytest.raises(LatentmapError, match="leave out 'normalize'"):
        load(folders["AutoencoderTiny"], normalize=True)


def test_pixels_of_255_raise_the_alarm_and_pixels_in_range_do_not(folders, tmp_path, make_sample):
    """The mistake of the first analysis, on a model whose statistics are those of its images."""
    from diffusers import AutoencoderTiny
    from torch import from_numpy, inference_mode

    def seen(numbers) -> list[np.ndarray]:
        return [tiny.prepare(make_sample(number), plain) for number in numbers]

    tiny = load(folders["AutoencoderTiny"])
    own = calibrate(tiny.encode(seen(range(6))), None)
    folder = with_statistics(folders["AutoencoderTiny"], tmp_path, own.mean, own.std)
    encoder = load(folder)
    assert not calibrate(encoder.encode(seen(range(6, 14))), encoder.statistics()).out_of_range

    model = AutoencoderTiny.from_pretrained(folder, low_cpu_mem_usage=False)
    with inference_mode():
        pixels = from_numpy(np.stack(seen(range(6, 14)))).permute(0, 3, 1, 2).float()
        unscaled = calibrate(model.encode(pixels).latents.numpy(), encoder.statistics())
    assert unscaled.out_of_range
    assert "not where the model's own are" in unscaled.warning()


@pytest.mark.parametrize("name", ["AutoencoderTiny", "AutoencoderKLWan"])
def test_pixels_may_be_given_in_another_range(folders, name):
    import diffusers
    import torch

    model = getattr(diffusers, name).from_pretrained(folders[name]).eval()
    pixels = torch.from_numpy(np.stack(images())).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        output = model.encode(pixels[:, :, None] if name == "AutoencoderKLWan" else pixels)
    expected = output.latents if name == "AutoencoderTiny" else output.latent_dist.mode()[:, :, 0]
    found = load(folders[name], pixel_range=(0, 255)).encode(images())
    np.testing.assert_allclose(found, expected.numpy(), atol=2e-4 * expected.std().item())


@pytest.mark.parametrize("wrong", [(1, 1), (255, 0)])
def test_black_must_be_below_white(folders, wrong):
    with pytest.raises(ValueError, match="the first must be below the second"):
        load(folders["AutoencoderTiny"], pixel_range=wrong)


def plain(sample):
    return show(sample, "plain", DrawOptions())


def test_the_revision_follows_a_local_models_files(folders, tmp_path):
    folder = with_statistics(folders["AutoencoderTiny"], tmp_path, range(16), range(1, 17))
    encoder = ENCODERS.create("vae", {"model": str(folder)})
    before = encoder.revision()
    assert before == ENCODERS.create("vae", {"model": str(folder)}).revision()
    (folder / "README.md").write_text("What it is.")
    assert encoder.revision() == before
    (folder / "reconstruction.json").write_text("{}")
    assert encoder.revision() != before
    pinned = ENCODERS.create("vae", {"model": "organisation/model", "revision": "abc"})
    assert pinned.revision() == "organisation/model@abc"


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("AutoencoderKL", {"latent_channels": 16}, "encoder.conv_out.weight is 8 wide where 16 or"),
        ("AutoencoderKLWan", {"base_dim": 96}, "encoder.conv_in.weight is 4 wide where 96 is"),
        ("AutoencoderTiny", {"encoder_block_out_channels": [64, 64]}, "8 wide where 64 is said"),
    ],
)
def test_a_configuration_of_other_weights_shows_when_a_run_is_planned(
    folders, tmp_path, name, changes, said
):
    folder = shutil.copytree(folders[name], tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))
    encoder = ENCODERS.create("vae", {"model": str(folder)})
    with pytest.raises(LatentmapError, match=said):
        encoder.check()


def test_a_subfolder_is_found(folders, tmp_path):
    (tmp_path / "vae").symlink_to(folders["AutoencoderTiny"])
    latents = load(tmp_path, subfolder="vae").encode(images())
    np.testing.assert_array_equal(latents, load(folders["AutoencoderTiny"]).encode(images()))


@pytest.mark.parametrize("name", MODELS)
def test_a_size_that_does_not_fit_is_answered_with_one_that_does(folders, name):
    with pytest.raises(LatentmapError, match=r"Size 60 is not a multiple of 8.*set size to 64"):
        load(folders[name], size=60)
    assert spatial_factor(json.loads((folders[name] / "config.json").read_text())) == 8


def test_what_is_no_autoencoder_is_refused(folders, tmp_path):
    for kind in ("os", "UNet2DConditionModel", None):
        (tmp_path / "config.json").write_text(json.dumps({"_class_name": kind}))
        with pytest.raises(LatentmapError, match=f"is a '?{kind}"):
            load(tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(LatentmapError, match=r"config\.json of .* cannot be read"):
        load(tmp_path)


def changed(folder, tmp_path, change):
    """Copy a model with its weights changed; return the folder."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path)
    return tmp_path


@pytest.mark.parametrize("name", MODELS)
def test_weights_that_do_not_fit_are_refused_by_name(folders, tmp_path, name):
    import torch
    from safetensors.torch import load_file

    weights = load_file(folders[name] / "diffusion_pytorch_model.safetensors")
    key = next(key for key in weights if key.startswith("encoder.") and key.endswith(".weight"))

    def refused(change, match):
        with pytest.raises(LatentmapError, match=match) as caught:
            load(changed(folders[name], tmp_path, change))
        assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)

    def rename(weights):
        weights["encoder.other"] = weights.pop(key)

    refused(lambda weights: weights.pop(key), rf"lacks 1 of the model's weights \({key}\)")
    refused(rename, rf"lacks 1 of .*\({key}\) and has 1 unknown to it \(encoder.other\)")
    reshape = {key: torch.zeros(3, 3)}
    refused(lambda weights: weights.update(reshape), rf"has 1 in another shape \({key}\)")


@pytest.mark.parametrize("name", MODELS)
def test_what_decodes_is_not_needed(folders, tmp_path, name):
    def forget(weights):
        for key in [key for key in weights if key.startswith(("decoder.", "post_quant_conv."))]:
            del weights[key]

    encoder = load(changed(folders[name], tmp_path, forget))
    np.testing.assert_array_equal(encoder.encode(images()), load(folders[name]).encode(images()))


def test_weights_that_are_not_finite_are_refused_with_what_helps(folders, tmp_path):
    def scale(factor):
        return lambda weights: weights["encoder.conv_in.weight"].mul_(factor)

    folder = changed(folders["AutoencoderKL"], tmp_path, scale(np.nan))
    with pytest.raises(LatentmapError, match=r"1 weights .* not finite in float32 .*fetch the mod"):
        load(folder)
    folder = changed(folders["AutoencoderKL"], tmp_path, scale(1e6))
    with pytest.raises(LatentmapError, match=r"not finite in float16 .*set dtype to float32"):
        load(folder, dtype="float16")
    load(folder)


# ---- files of a model's authors ----------------------------------------------------------------

# Names in diffusers, and what its authors call the same.
WAN = {
    r"\.norm1\.": ".residual.0.",
    r"\.conv1\.": ".residual.2.",
    r"\.norm2\.": ".residual.3.",
    r"\.conv2\.": ".residual.6.",
    r"\.conv_shortcut\.": ".shortcut.",
    r"^encoder.conv_in.": "encoder.conv1.",
    r"^encoder.down_blocks.": "encoder.downsamples.",
    r"^encoder.mid_block.resnets.0.": "encoder.middle.0.",
    r"^encoder.mid_block.attentions.0.": "encoder.middle.1.",
    r"^encoder.mid_block.resnets.1.": "encoder.middle.2.",
    r"^encoder.norm_out.": "encoder.head.0.",
    r"^encoder.conv_out.": "encoder.head.2.",
    r"^quant_conv.": "conv1.",
    r"^post_quant_conv.": "conv2.",
}
LATENT_DIFFUSION = {
    r"^encoder.": "first_stage_model.encoder.",
    r"^quant_conv.": "first_stage_model.quant_conv.",
    r"down_blocks.(\d+).resnets.(\d+).": r"down.\1.block.\2.",
    r"down_blocks.(\d+).downsamplers.0.": r"down.\1.downsample.",
    r"mid_block.resnets.0.": "mid.block_1.",
    r"mid_block.resnets.1.": "mid.block_2.",
    r"mid_block.attentions.0.group_norm.": "mid.attn_1.norm.",
    r"mid_block.attentions.0.to_out.0.": "mid.attn_1.proj_out.",
    r"mid_block.attentions.0.to_": "mid.attn_1.",
    r"conv_norm_out.": "norm_out.",
    r"conv_shortcut.": "nin_shortcut.",
}
ORIGINALS = {
    "taesd_encoder": ("AutoencoderTiny", MODELS["AutoencoderTiny"], {r"^encoder.layers.": ""}),
    "taesd": ("AutoencoderTiny", MODELS["AutoencoderTiny"], {r"^encoder.layers.": "encoder."}),
    "wan": ("AutoencoderKLWan", {"base_dim": 4, "z_dim": 16}, WAN),
    "latent diffusion": (
        "AutoencoderKL",
        {
            "block_out_channels": (32, 32, 64, 64),
            "down_block_types": KL["down_block_types"],
            "up_block_types": KL["up_block_types"],
            "layers_per_block": 2,
            "latent_channels": 16,
        },
        LATENT_DIFFUSION,
    ),
}


def renamed(weights, names):
    """Return an encoder's weights under the names of its authors."""
    found = {}
    for name, value in weights.items():
        if name.startswith(("decoder.", "post_quant_conv.")) and names is not WAN:
            continue
        attention = name.endswith("weight") and ".attentions.0.to_" in name
        value = value[..., None, None] if attention and names is LATENT_DIFFUSION else value
        for pattern, theirs in names.items():
            name = re.sub(pattern, theirs, name)
        found[name] = value
    return found


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
@pytest.mark.parametrize("name", ORIGINALS)
def test_a_file_of_the_authors_gives_the_latents_of_the_converted_model(tmp_path, name, ending):
    import diffusers
    import torch
    from safetensors.torch import save_file

    kind, arguments, names = ORIGINALS[name]
    torch.manual_seed(0)
    model = getattr(diffusers, kind)(**arguments)
    model.save_pretrained(tmp_path / "converted")
    path = tmp_path / f"weights{ending}"
    weights = renamed(model.state_dict(), names)
    save_file(weights, path) if ending == ".safetensors" else torch.save(weights, path)
    encoder = load(path)
    np.testing.assert_allclose(
        encoder.encode(images()), load(tmp_path / "converted").encode(images()), atol=1e-6
    )
    assert (encoder.statistics() is not None) == (name == "wan")
    assert encoder.revision() == load(path).revision()
    with pytest.raises(LatentmapError, match="not a multiple of 8"):
        load(path, size=60)


def tiny_weights(folders):
    from safetensors.torch import load_file

    return load_file(folders["AutoencoderTiny"] / "diffusion_pytorch_model.safetensors")


def test_other_files_are_told_the_layout_that_is_needed(folders, tmp_path):
    import torch

    def refused(content, match):
        torch.save(content, tmp_path / "weights.pth")
        with pytest.raises(LatentmapError, match=match) as caught:
            load(tmp_path / "weights.pth")
        assert "\n" not in str(caught.value)

    decoder = {"1.weight": torch.zeros(8, 16, 3, 3), "3.conv.0.weight": torch.zeros(8, 8, 3, 3)}
    refused(decoder, "no weights of an encoder under the names of TAESD")
    refused({"model": {"layer.weight": torch.zeros(2)}}, "give the folder of a diffusers model")
    refused([torch.zeros(2)], "no weights by name but a list")
    state = renamed(tiny_weights(folders), {r"^encoder.layers.": ""})
    state["3.lora.weight"] = torch.zeros(2)
    del state["1.conv.0.bias"]
    refused(state, r"lacks 1 .*encoder.layers.1.conv.0.bias\) and has 1 .*encoder.layers.3.lora")


def test_weights_that_are_no_safetensors_are_refused(folders, tmp_path):
    import torch

    config = folders["AutoencoderTiny"] / "config.json"
    (tmp_path / "config.json").write_bytes(config.read_bytes())
    torch.save({}, tmp_path / "diffusion_pytorch_model.bin")
    with pytest.raises(LatentmapError, match="safetensors"):
        load(tmp_path)


def test_a_device_that_is_not_there_is_named(folders):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(LatentmapError, match="no 'cuda' device"):
        load(folders["AutoencoderTiny"], device="cuda")
    auto = load(folders["AutoencoderTiny"], device="auto")
    assert np.isfinite(auto.encode(images())).all()
