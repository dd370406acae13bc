import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from latentmap.samples.rendering import render
from latentmap.store.files import read_plain_json

RESOURCES = Path(__file__).parents[2] / "resources"
FOLDER = RESOURCES / "tiny-vae"
CHECKED = 6


@pytest.fixture(scope="module")
def training() -> ModuleType:
    spec = importlib.util.spec_from_file_location("train_tiny_vae", RESOURCES / "train_tiny_vae.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks its own module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def model() -> Any:
    from diffusers import AutoencoderTiny

    return AutoencoderTiny.from_pretrained(FOLDER, low_cpu_mem_usage=False).float().eval()


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    return read_plain_json(FOLDER / "reconstruction.json")


@pytest.fixture(scope="module")
def held_out(training: ModuleType, written: dict[str, Any]) -> list[np.ndarray]:
    settings = training.Settings(**written["training"])
    first = settings.training_scenes
    return [render(training.scenery(settings, first + i).scene) for i in range(CHECKED)]


def test_the_settings_written_are_the_scripts(
    training: ModuleType, written: dict[str, Any]
) -> None:
    assert training.Settings() == training.Settings(**written["training"])


def test_weights_are_small_and_latents_have_16_channels_at_an_eighth(
    model: Any, training: ModuleType, written: dict[str, Any], held_out: list[np.ndarray]
) -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 2 * 2**20
    assert sum(parameter.numel() for parameter in model.parameters()) == written["parameters"]
    height, width, _ = held_out[0].shape
    latents = model.encode(training.to_tensor(held_out[0][None])).latents
    assert latents.shape == (1, 16, height // 8, width // 8)


def test_held_out_scenes_are_reconstructed_as_well_as_written(
    model: Any, training: ModuleType, written: dict[str, Any], held_out: list[np.ndarray]
) -> None:
    measured = [training.psnr(training.reconstruct(model, image), image) for image in held_out]
    assert measured == pytest.approx(written["held_out_psnr_db_by_scene"][:CHECKED], abs=0.1)
    assert np.mean(written["held_out_psnr_db_by_scene"]) == pytest.approx(
        written["held_out_psnr_db"], abs=0.01
    )


def test_every_scene_beats_its_mean_colours_clearly(
    model: Any, training: ModuleType, held_out: list[np.ndarray]
) -> None:
    for image in held_out:
        restored = training.psnr(training.reconstruct(model, image), image)
        assert restored > training.psnr(training.mean_colours(image), image) + 3


def test_channel_statistics_describe_held_out_latents(
    model: Any, training: ModuleType, written: dict[str, Any], held_out: list[np.ndarray]
) -> None:
    mean, std = (np.array(written[f"latents_{name}"])[:, None] for name in ("mean", "std"))
    latents = np.concatenate(
        [
            model.encode(training.to_tensor(image[None])).latents[0].detach().flatten(1).numpy()
            for image in held_out
        ],
        axis=1,
    )
    standard = (latents - mean) / std
    assert np.abs(standard.mean(axis=1)).max() < 0.5
    assert standard.std(axis=1).min() > 0.5 and standard.std(axis=1).max() < 1.6
