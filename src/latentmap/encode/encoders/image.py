"""A vision tower such as CLIP, SigLIP or DINO: one vector an image, or one for every patch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from latentmap.config import UserPath
from latentmap.encode.batches import ImageBatches
from latentmap.encode.checkpoints import check_finite
from latentmap.encode.clip_towers import HUB, TIMM, OpenClipTower, TimmTower
from latentmap.encode.devices import pick_device
from latentmap.encode.encoder import Encoder, Finish, Sample, Show
from latentmap.encode.headers import check_file
from latentmap.encode.images import PictureOptions, Resampling, stretched, with_noise
from latentmap.encode.models import (
    be_deterministic,
    check_model,
    folder_digest,
    known_json,
)
from latentmap.encode.towers import (
    Tower,
    TowerOptions,
    TransformersTower,
    shape_of_patches,
    stated_side,
)
from latentmap.errors import LatentmapError
from latentmap.samples.source import Content
from latentmap.store.files import digest_file

if TYPE_CHECKING:
    import torch


class ImageTowerOptions(PictureOptions):
    """Options of a vision tower.

    Attributes:
        model: local folder, or id on the Hugging Face hub, of a model of transformers; one of
            open_clip as `hf-hub:organisation/name`, one of timm as `timm/name`, both with the extra
            `clip`.
        revision: commit of a model on the hub; pin it, a branch moves.
        checkpoint: file with the weights of a fine-tune of this model, in place of its own:
            safetensors, or a state dict that `torch.save` wrote.
        output: `pooled`, one vector by which the model's authors compare images (the projection
            of CLIP, the pooler's output of SigLIP and DINO); or `tokens`, the last hidden state
            of every patch as a feature map.
        normalize: give every vector, or every patch's, the length 1, as a comparison by cosine
            does.
        size: width and height in pixels at which the tower sees an image; the size of the model's
            own image processor by default.
        resampling: how an image is brought to this size; as the model's processor does by default.
        dtype: number format in which the model runs.
        device: where the model runs; `auto` takes a GPU if there is one.
    """

    model: UserPath = Field(min_length=1)
    revision: str | None = None
    checkpoint: UserPath | None = None
    output: Literal["pooled", "tokens"] = "pooled"
    normalize: bool = False
    size: int | None = Field(None, ge=8)
    resampling: Resampling | None = None
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"


class ImageTower(Encoder[ImageTowerOptions]):
    """The vision tower of a model that was trained on images, alone or with texts.

    Colours are normalised as the model's image processor says. Geometry is not the processor's:
    the whole image is stretched to the tower's square. CLIP's and DINO's processors crop the
    centre of the scaled image instead, which would cut off boxes and give two variants or two
    encoders different parts of a picture; square images differ from theirs only where the
    processor scales to more than it crops (DINOv2: to 256, of which it keeps 224).
    """

    Options: type[ImageTowerOptions] = ImageTowerOptions
    needs: Content | None = "images"

    @property
    def rank(self) -> Literal["map", "vector"]:
        """A map for `tokens`, a vector for `pooled`."""
        return "map" if self.options.output == "tokens" else "vector"

    def revision(self) -> str:
        """Return what identifies the weights: a local model's digest or a hub id, the checkpoint's.

        Raises:
            LatentmapError: there is no such checkpoint.
        """
        options, folder = self.options, Path(self.options.model)
        pinned = f"{options.model}@{options.revision or 'main'}"
        base = folder_digest(folder) if folder.is_dir() else pinned
        if options.checkpoint is None:
            return base
        try:
            return f"{base} {digest_file(options.checkpoint)}"
        except OSError:
            raise LatentmapError(f"There is no checkpoint {options.checkpoint}.") from None

    def check(self) -> None:
        """Check that a local model and its checkpoint are whole; see `Encoder.check`."""
        check_model(self.options.model, has_weights=self.options.checkpoint is None)
        if self.options.checkpoint is not None:
            check_file(self.options.checkpoint)

    def shape(self) -> tuple[int, ...] | None:
        """Return the shape of a map of patches where the model's settings are on this machine."""
        options = self.options
        if self.rank == "vector" or _tower_class(options.model) is not TransformersTower:
            return None
        config, processor = (
            known_json(options.model, name, options.revision) or {}
            for name in ("config.json", "preprocessor_config.json")
        )
        return shape_of_patches(config, options.size or stated_side(processor))

    def load(self) -> None:
        """Load the model.

        Raises:
            LatentmapError: it cannot be found, encodes no images, or needs what is not installed;
                the checkpoint is not one of it; the size does not fit it; or the device is not
                there.
        """
        import torch

        options = self.options
        self._device = pick_device(options.device)
        self._dtype = getattr(torch, options.dtype)
        self._batches = ImageBatches(self._device)
        self.begun = self._batches.begun
        be_deterministic()
        self._tower = _tower_class(options.model)(
            TowerOptions(
                options.model, options.revision, options.checkpoint, options.size, self._dtype
            )
        )
        check_finite(self._tower.module, options.model)
        self._tower.module.to(self._device)
        given = self._tower.preprocessing
        self._mean, self._std = (
            torch.tensor(values, device=self._device).view(3, 1, 1)
            for values in (given.mean, given.std)
        )

    def prepare(self, sample: Sample, show: Show) -> NDArray[np.uint8]:
        """Return the image as it is shown, (size, size, 3) uint8."""
        given = self._tower.preprocessing
        name = self.options.resampling
        method = Image.Resampling[name.upper()] if name else Image.Resampling(given.resampling)
        seen = stretched(show(sample), given.size, method)
        return with_noise(seen, self.options.noise, sample["id"])

    def encode(self, batch: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Encode (size, size, 3) uint8 images: (n, D) or (n, C, H, W) float32."""
        return self.begin(batch)()

    def begin(self, batch: Sequence[NDArray[np.uint8]]) -> Finish:
        """Begin to encode images; see `Encoder.begin`."""
        return self._batches.begin(batch, self._latents)

    def _latents(self, images: torch.Tensor) -> torch.Tensor:
        """Encode (n, size, size, 3) uint8 images on the device."""
        import torch

        seen = images.permute(0, 3, 1, 2)
        pixels = ((seen / 255 - self._mean) / self._std).to(self._dtype)
        tower = self._tower
        found = tower.tokens(pixels) if self.rank == "map" else tower.pooled(pixels)
        latents = found.float()
        if self.options.normalize:
            latents = torch.nn.functional.normalize(latents, dim=1)
        return latents.contiguous()


def _tower_class(model: str) -> type[Tower]:
    if model.startswith(HUB):
        return OpenClipTower
    # A folder of this name is a model of transformers.
    return TimmTower if model.startswith(TIMM) and not Path(model).is_dir() else TransformersTower
