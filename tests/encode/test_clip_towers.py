"""Towers of open_clip and timm, which are not installed here: stand-ins with what is used."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from latentmap.encode.encoder import ENCODERS
from latentmap.errors import LatentmapError

SIDE, PATCH = 32, 8
MEAN, STD = (0.5, 0.4, 0.3), (0.3, 0.2, 0.1)


def load(model, **options):
    encoder = ENCODERS.create("image", {"model": model, "device": "cpu", **options})
    encoder.load()
    return encoder


def pictures() -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("model", "package"),
    [("hf-hub:timm/ViT-SO400M-16-SigLIP2-384", "open_clip"), ("timm/vit_base_patch16", "timm")],
)
def test_what_is_not_installed_is_named_with_how_to_install_it(monkeypatch, model, package):
    import torch

    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(LatentmapError) as caught:
        load(model)
    message = str(caught.value)
    assert 'pip install "latentmap[clip]"' in message
    assert f"{model} needs {package}" in message
    assert f"torchvision that matches torch {torch.__version__}" in message


def convolution(seed=0):
    """Make a tower of one convolution with the methods that open_clip's and timm's towers have."""
    import torch

    class Convolution(torch.nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(seed)
            self.patches = torch.nn.Conv2d(3, 6, PATCH, PATCH)

        def forward(self, pixels):
            return self.patches(pixels).mean((2, 3))

    return Convolution()


def expected_of(tower, mean, std):
    import torch

    images = torch.from_numpy(np.stack(pictures())).permute(0, 3, 1, 2) / 255
    view = [torch.tensor(values).view(3, 1, 1) for values in (mean, std)]
    with torch.inference_mode():
        return tower.patches((images - view[0]) / view[1]).numpy()


@pytest.fixture
def open_clip(monkeypatch):
    """Stand in for open_clip 3: what is used of it takes and gives what it does."""
    asked = {}

    def create_model_from_pretrained(model_name, *, force_image_size=None, return_transform=True):
        assert not return_transform
        asked.update(name=model_name, size=force_image_size)
        visual = convolution()
        visual.preprocess_cfg = {
            "size": (force_image_size or SIDE,) * 2,
            "mode": "RGB",
            "mean": MEAN,
            "std": STD,
            "interpolation": "bicubic",
            "resize_mode": "squash",
        }

        def forward_intermediates(
            pixels, *, indices, normalize_intermediates, intermediates_only, output_fmt
        ):
            assert (indices, normalize_intermediates, intermediates_only) == (1, True, True)
            assert output_fmt == "NCHW"
            return {"image_intermediates": [visual.patches(pixels)]}

        visual.forward_intermediates = forward_intermediates
        return SimpleNamespace(visual=visual)

    module = ModuleType("open_clip")
    module.create_model_from_pretrained = create_model_from_pretrained
    monkeypatch.setitem(sys.modules, "open_clip", module)
    return asked


@pytest.fixture
def timm(monkeypatch):
    """Stand in for timm 1: what is used of it takes and gives what it does."""
    asked = {}

    def create_model(model_name, *, pretrained, num_classes):
        assert pretrained and num_classes == 0
        asked.update(name=model_name)
        model = convolution()

        def forward_intermediates(pixels, *, indices, norm, output_fmt, intermediates_only):
            assert (indices, norm, intermediates_only) == (1, True, True)
            assert output_fmt == "NCHW"
            return [model.patches(pixels)]

        model.forward_intermediates = forward_intermediates
        model.set_input_size = lambda *, img_size: asked.update(size=img_size)
        return model

    def resolve_model_data_config(model):
        return {
            "input_size": (3, SIDE, SIDE),
            "interpolation": "bicubic",
            "mean": MEAN,
            "std": STD,
            "crop_pct": 0.9,
            "crop_mode": "center",
        }

    module = ModuleType("timm")
    module.create_model = create_model
    module.data = SimpleNamespace(resolve_model_data_config=resolve_model_data_config)
    monkeypatch.setitem(sys.modules, "timm", module)
    return asked


def test_a_model_of_open_clip_goes_through_its_own_loader(open_clip):
    name = "hf-hub:timm/ViT-SO400M-16-SigLIP2-384"
    expected = expected_of(convolution(), MEAN, STD)
    found = load(name, output="tokens").encode(pictures())
    np.testing.assert_allclose(found, expected, atol=1e-5)
    pooled = load(name).encode(pictures())
    np.testing.assert_allclose(pooled, expected.mean((2, 3)), atol=1e-5)
    assert open_clip == {"name": name, "size": None}
    assert load(name, size=64)._tower.preprocessing.size == 64
    assert open_clip["size"] == 64
    with pytest.raises(LatentmapError, match="leave out revision"):
        load(name, revision="abc")


def test_a_model_of_timm_goes_through_its_own_loader(timm):
    expected = expected_of(convolution(), MEAN, STD)
    encoder = load("timm/vit_base", revision="abc", output="tokens", size=64)
    assert timm == {"name": "hf-hub:timm/vit_base@abc", "size": (64, 64)}
    assert encoder._tower.preprocessing.size == 64
    found = load("timm/vit_base", output="tokens").encode(pictures())
    np.testing.assert_allclose(found, expected, atol=1e-5)
    pooled = load("timm/vit_base").encode(pictures())
    np.testing.assert_allclose(pooled, expected.mean((2, 3)), atol=1e-5)


def test_an_openclip_checkpoint_gives_its_tower_to_both(open_clip, timm, tmp_path):
    import torch

    tuned = convolution(seed=1)
    expected = expected_of(tuned, MEAN, STD).mean((2, 3))
    path = tmp_path / "epoch_3.pt"
    weights = {f"module.visual.{k}": v for k, v in tuned.state_dict().items()}
    weights["module.logit_scale"] = torch.ones(())
    torch.save({"epoch": 3, "state_dict": weights}, path)
    found = load("hf-hub:organisation/clip", checkpoint=str(path)).encode(pictures())
    np.testing.assert_allclose(found, expected, atol=1e-5)
    with pytest.raises(LatentmapError, match=r"lacks 2 of the model's weights \(patches.bias"):
        load("timm/vit_base", checkpoint=str(path))
    torch.save({**tuned.state_dict(), "head.weight": torch.zeros(5, 6)}, path)
    found = load("timm/vit_base", checkpoint=str(path)).encode(pictures())
    np.testing.assert_allclose(found, expected, atol=1e-5)
