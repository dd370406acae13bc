"""Train `resources/tiny-vae` on generated scenes and write what it reconstructs.

Run with `nice python resources/train_tiny_vae.py`: about ten minutes of one core. The weights and
`reconstruction.json` depend on the settings below and on the library versions, not on time or on
any file.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from diffusers.models.autoencoders.vae import AutoencoderTinyBlock
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from latentmap.samples.rendering import render
from latentmap.samples.scenery import Scenery, random_scenery
from latentmap.store.files import read_plain_json, write_plain_json

FOLDER = Path(__file__).parent / "tiny-vae"


@dataclass(frozen=True)
class Settings:
    """Everything that decides the weights.

    Attributes:
        seed: of scenes, crops and initial weights.
        training_scenes, held_out_scenes: how many are rendered.
        steps, batch_size: of the optimiser; a batch is of square crops.
        crop: side of a crop in pixels.
        learning_rate: highest, of a one-cycle schedule.
        edge_weight: weight of the loss on differences of adjacent pixels.
    """

    seed: int = 20_250
    training_scenes: int = 640
    held_out_scenes: int = 48
    steps: int = 4200
    batch_size: int = 16
    crop: int = 64
    learning_rate: float = 2e-3
    edge_weight: float = 0.5


def main() -> None:
    """Train, round the weights to float16, measure what is saved, and save it."""
    settings = Settings()
    torch.set_num_threads(1)
    torch.manual_seed(settings.seed)
    model = AutoencoderTiny(
        latent_channels=16,
        encoder_block_out_channels=(32, 32, 32, 32),
        decoder_block_out_channels=(24, 24, 24, 24),
        num_encoder_blocks=(0, 0, 2, 3),
        num_decoder_blocks=(3, 2, 0, 0),
    )
    initialise(model)
    train(model, settings)
    save(model)
    model = AutoencoderTiny.from_pretrained(FOLDER, low_cpu_mem_usage=False).float().eval()
    write_plain_json(FOLDER / "reconstruction.json", measure(model, settings))


def initialise(model: AutoencoderTiny) -> None:
    """Let the signal pass at its own strength: torch's default initial weights shrink it.

    Convolutions outside blocks keep the variance (LeCun et al. 1998, Efficient BackProp); every
    block starts as the identity (Zhang, Dauphin & Ma 2019, Fixup Initialization).
    """
    for layer in (*model.encoder.layers, *model.decoder.layers):
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.normal_(layer.weight, std=layer.weight[0].numel() ** -0.5)
        elif isinstance(layer, AutoencoderTinyBlock):
            torch.nn.init.zeros_(layer.conv[-1].weight)
            torch.nn.init.zeros_(layer.conv[-1].bias)


def train(model: AutoencoderTiny, settings: Settings) -> None:
    """Train in bfloat16 autocast, twice as fast as float32 where the processor has it."""
    generator = np.random.default_rng(settings.seed)
    images = [altered(scenery(settings, i), generator) for i in range(settings.training_scenes)]
    model.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(model.parameters(), settings.learning_rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=settings.steps, pct_start=0.05
    )
    for step in range(settings.steps):
        pixels = crops(images, settings, generator)
        with torch.autocast("cpu", torch.bfloat16):
            restored = model.decode(model.encode(pixels).latents).sample
        loss = distance(restored.float(), pixels, settings.edge_weight)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        schedule.step()
        if step % 300 == 0:
            print(f"step {step} loss {loss.item():.4f}", file=sys.stderr, flush=True)


def save(model: AutoencoderTiny) -> None:
    """Save the weights in float16, and a configuration that loads without a warning."""
    model.half().save_pretrained(FOLDER)
    # diffusers writes this attribute, though its own constructor refuses it.
    config = read_plain_json(FOLDER / "config.json")
    del config["block_out_channels"]
    write_plain_json(FOLDER / "config.json", config)


def scenery(settings: Settings, number: int) -> Scenery:
    """Return scene `number`: the first are for training, those behind them are held out."""
    return random_scenery(np.random.default_rng([settings.seed, number]))


def altered(scenery: Scenery, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Render a scene, frame some of its things, and scale it: finer and coarser detail."""
    image = Image.fromarray(render(scenery.scene))
    draw = ImageDraw.Draw(image)
    for thing in scenery.things[: generator.integers(0, 4)]:
        colour = tuple(int(value) for value in generator.integers(0, 256, 3))
        draw.rectangle(thing.box, outline=colour, width=int(generator.integers(2, 4)))
        draw.text(thing.box[:2], "Region [0]", colour, ImageFont.load_default(12))
    scale = 2 ** generator.uniform(-0.75, 0.75)
    size = (round(image.width * scale), round(image.height * scale))
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS))


def crops(
    images: list[NDArray[np.uint8]], settings: Settings, generator: np.random.Generator
) -> torch.Tensor:
    """Cut one batch of crops, mirrored and with colour channels exchanged at random."""
    side = settings.crop
    batch = np.empty((settings.batch_size, side, side, 3), np.uint8)
    for crop in batch:
        image = images[generator.integers(len(images))]
        top = generator.integers(image.shape[0] - side + 1)
        left = generator.integers(image.shape[1] - side + 1)
        flip = generator.choice([-1, 1])
        crop[:] = image[top : top + side, left : left + side][:, ::flip, generator.permutation(3)]
    return to_tensor(batch)


def to_tensor(images: NDArray[np.uint8]) -> torch.Tensor:
    """Return (n, 3, H, W) pixels in [-1, 1], the range of diffusers' autoencoders."""
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1
    return pixels.contiguous(memory_format=torch.channels_last)


def distance(restored: torch.Tensor, pixels: torch.Tensor, edge_weight: float) -> torch.Tensor:
    """Return L1 + MSE of the pixels, and L1 of the differences of adjacent pixels."""
    error = restored - pixels
    edges = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    return error.abs().mean() + error.square().mean() + edge_weight * edges


@torch.no_grad()
def measure(model: AutoencoderTiny, settings: Settings) -> dict[str, object]:
    """Return the reconstruction of held-out scenes and the statistics of training latents."""
    first = settings.training_scenes
    held_out = [render(scenery(settings, first + i).scene) for i in range(settings.held_out_scenes)]
    restored = [psnr(reconstruct(model, image), image) for image in held_out]
    means = [psnr(mean_colours(image), image) for image in held_out]
    latents = torch.cat(
        [
            model.encode(to_tensor(render(scenery(settings, i).scene)[None])).latents[0].flatten(1)
            for i in range(settings.training_scenes)
        ],
        dim=1,
    )
    return {
        "held_out_psnr_db": round(float(np.mean(restored)), 3),
        "held_out_psnr_db_by_scene": [round(value, 3) for value in restored],
        "mean_colour_psnr_db": round(float(np.mean(means)), 3),
        "latents_mean": [round(value, 5) for value in latents.mean(dim=1).tolist()],
        "latents_std": [round(value, 5) for value in latents.std(dim=1).tolist()],
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "training": asdict(settings),
    }


@torch.no_grad()
def reconstruct(model: AutoencoderTiny, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Encode and decode one (H, W, 3) image."""
    restored = model.decode(model.encode(to_tensor(image[None])).latents).sample[0]
    pixels = ((restored.permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255)
    return pixels.to(torch.uint8).numpy()


def mean_colours(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the image with every 8 × 8 block in its mean colour: what any 8x encoder must beat."""
    height, width, _ = image.shape
    blocks = image.reshape(height // 8, 8, width // 8, 8, 3).mean(axis=(1, 3))
    return np.rint(blocks).astype(np.uint8).repeat(8, axis=0).repeat(8, axis=1)


def psnr(restored: NDArray[np.uint8], image: NDArray[np.uint8]) -> float:
    """Return the peak signal-to-noise ratio in decibels, of 8-bit images."""
    error = np.square(restored.astype(np.float64) - image).mean()
    return float(10 * np.log10(255**2 / error))


if __name__ == "__main__":
    main()
