"""Autoencoders in one file, under the names that their authors give the weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentmap.encode.checkpoints import read_checkpoint
from latentmap.errors import LatentmapError

if TYPE_CHECKING:
    import torch

Weights = Mapping[str, "torch.Tensor"]
Convert = Callable[..., Weights]

NUMBERED = re.compile(r"(?:taesd_)?(?:encoder\.)?(\d+\.\S+)")
"""Names of an encoder of TAESD, whose layers have numbers."""


@dataclass(frozen=True)
class Original:
    """An autoencoder of diffusers with the weights of its authors.

    Attributes:
        kind: its class in diffusers.
        arguments: of the class.
        weights: under the names that the class gives them.
    """

    kind: str
    arguments: Mapping[str, Any]
    weights: Weights


def read_original(path: Path | str) -> Original:
    """Read an autoencoder that its authors publish as one file, without unpickling anything.

    Raises:
        LatentmapError: it cannot be read as weights only, or their names are not those of TAESD,
            of Wan 2.1, or of the autoencoders of latent diffusion.
    """
    weights = read_checkpoint(path)
    if "encoder.conv1.weight" in weights and "conv1.weight" in weights:
        return _wan(weights)
    names = " ".join(weights)
    if "encoder.down.0.block.0.conv1.weight" in names and "encoder.conv_out.weight" in names:
        return _latent_diffusion(weights)
    encoder = _numbered(weights)
    # A decoder has no weights in its first layer.
    if encoder.keys() >= {"0.weight", "1.conv.0.weight", "2.weight"}:
        return _taesd(encoder)
    raise LatentmapError(
        f"{path} has no weights of an encoder under the names of TAESD (0.weight), Wan 2.1 "
        "(encoder.conv1.weight) or latent diffusion (encoder.down.0.block.0.conv1.weight); give "
        "the folder of a diffusers model: config.json, and the weights as safetensors."
    )


def _numbered(weights: Weights) -> dict[str, torch.Tensor]:
    """Return the weights whose names start with a layer's number."""
    found = ((NUMBERED.fullmatch(name), value) for name, value in weights.items())
    return {name[1]: value for name, value in found if name}


def _taesd(encoder: Weights) -> Original:
    """Return an AutoencoderTiny: convolutions, each but the last with blocks behind it."""
    layers = range(1 + max(int(name.partition(".")[0]) for name in encoder))
    convolutions = [place for place in layers if f"{place}.weight" in encoder]
    widths = [len(encoder[f"{place}.weight"]) for place in convolutions]
    return Original(
        "AutoencoderTiny",
        {
            "encoder_block_out_channels": tuple(widths[:-1]),
            "num_encoder_blocks": tuple(end - start - 1 for start, end in pairwise(convolutions)),
            "latent_channels": widths[-1],
        },
        {f"encoder.layers.{name}": value for name, value in encoder.items()},
    )


def _wan(weights: Weights) -> Original:
    from diffusers.loaders.single_file_utils import convert_wan_vae_to_diffusers

    arguments = {
        "base_dim": len(weights["encoder.conv1.weight"]),
        "z_dim": len(weights["conv1.weight"]) // 2,
    }
    convert: Convert = convert_wan_vae_to_diffusers
    return Original("AutoencoderKLWan", arguments, convert(dict(weights)))


def _latent_diffusion(weights: Weights) -> Original:
    """Return an AutoencoderKL: of Stable Diffusion, SDXL, Flux and others of one architecture."""
    from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint

    place = re.compile(r"(?:.*\.)?(encoder\.down\.(\d+)\.block\.(\d+)\.conv1\.weight)")
    blocks = [(found, weights[name]) for name in weights if (found := place.fullmatch(name))]
    widths = {int(found[2]): len(value) for found, value in blocks}
    conv_out = next(v for name, v in weights.items() if name.endswith("encoder.conv_out.weight"))
    arguments = {
        "block_out_channels": tuple(widths[level] for level in sorted(widths)),
        "down_block_types": ("DownEncoderBlock2D",) * len(widths),
        "up_block_types": ("UpDecoderBlock2D",) * len(widths),
        "layers_per_block": 1 + max(int(found[3]) for found, _ in blocks),
        "latent_channels": len(conv_out) // 2,
        "use_quant_conv": any(re.search(r"(^|\.)quant_conv\.", name) for name in weights),
        "scaling_factor": 1.0,  # which the file does not state
    }
    convert: Convert = convert_ldm_vae_checkpoint
    return Original("AutoencoderKL", arguments, convert(dict(weights), arguments))
