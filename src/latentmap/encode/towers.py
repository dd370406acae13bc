"""Vision towers: models that turn pixels into one vector, and into one vector for every patch."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentmap.encode.checkpoints import check_names, describe_report, read_checkpoint
from latentmap.encode.models import unreadable
from latentmap.errors import LatentmapError

if TYPE_CHECKING:
    import torch

VISION_ONLY = {
    "clip": "CLIPVisionModelWithProjection",
    "metaclip_2": "MetaClip2VisionModelWithProjection",
    "siglip": "SiglipVisionModel",
    "siglip2": "Siglip2VisionModel",
}
"""Classes that load the vision tower alone of a model that has a text tower too, by model type."""


@dataclass(frozen=True)
class Preprocessing:
    """What a tower expects of an image.

    Attributes:
        size: width and height in pixels.
        resampling: how it is brought there, as Pillow numbers it.
        mean: of each colour in [0, 1], which is subtracted.
        std: of each colour, which the rest is divided by.
    """

    size: int
    resampling: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class TowerOptions:
    """Which tower to load.

    Attributes:
        model: folder or name.
        revision: commit of a model on the hub.
        checkpoint: weights of a fine-tune, in place of the model's own.
        size: width and height of its input; its own by default.
        dtype: number format in which it runs.
    """

    model: str
    revision: str | None
    checkpoint: str | None
    size: int | None
    dtype: torch.dtype


class Tower(ABC):
    """A loaded vision tower.

    Attributes:
        module: the network, a `torch.nn.Module` in evaluation mode.
        preprocessing: what it expects of an image.
    """

    module: Any
    preprocessing: Preprocessing

    @abstractmethod
    def __init__(self, options: TowerOptions) -> None:
        """Load the network."""

    @abstractmethod
    def pooled(self, pixels: torch.Tensor) -> torch.Tensor:
        """Encode normalised pixels (n, 3, size, size) as vectors (n, D)."""

    @abstractmethod
    def tokens(self, pixels: torch.Tensor) -> torch.Tensor:
        """Encode normalised pixels (n, 3, size, size) as patches in place, (n, C, H, W)."""


class TransformersTower(Tower):
    """A tower of `transformers`: its class is the one that the model's configuration names.

    Weights are read as safetensors only, and no code comes with them.
    """

    def __init__(self, options: TowerOptions) -> None:
        library = _transformers()
        # Its reports of weights for other tasks would fill the log; what matters is checked here.
        library.logging.set_verbosity_error()
        library.logging.disable_progress_bar()
        self._options = options
        self._is_local = Path(options.model).is_dir()
        self.module = self._loaded()
        self.preprocessing = self._preprocessing()
        self._check_size()

    def pooled(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return what the model's authors compare images by.

        That is the projection into the space shared with texts where there is one (CLIP), else
        the output of the model's pooler (SigLIP's attention pooling, DINO's class token, a
        convolutional network's mean), else the class token.
        """
        output = self._output(pixels)
        for name in ("image_embeds", "pooler_output"):
            vectors = getattr(output, name, None)
            if vectors is not None:
                return vectors.flatten(1)
        hidden = output.last_hidden_state
        if hidden.ndim != 3 or hidden.shape[1] == self._side(hidden) ** 2:
            raise LatentmapError(
                f"{self._options.model} has neither a pooler nor a class token; set output to "
                "tokens, and let pooling methods do the rest."
            )
        return hidden[:, 0]

    def tokens(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the last hidden state of every patch, without class and register tokens."""
        hidden = self._output(pixels).last_hidden_state
        if hidden.ndim == 4:
            return hidden
        side = self._side(hidden)
        # Class and register tokens come before the patches, which run row by row.
        patches = hidden[:, hidden.shape[1] - side**2 :]
        return patches.reshape(len(hidden), side, side, -1).permute(0, 3, 1, 2)

    def _side(self, hidden: torch.Tensor) -> int:
        """Return how many patches are in a row: fewer than went in, where a tower merges them."""
        whole = isqrt(hidden.shape[1])
        return min(whole, self.preprocessing.size // self._patch) if self._patch else whole

    @property
    def _patch(self) -> int | None:
        config = self.module.config
        patch = getattr(getattr(config, "vision_config", config), "patch_size", None)
        return patch if isinstance(patch, int) else None

    def _output(self, pixels: torch.Tensor) -> Any:
        inputs: dict[str, Any] = {"pixel_values": pixels}
        features = getattr(self.module, "get_image_features", None)
        forward = features or self.module.forward
        accepted = inspect.signature(forward).parameters
        if "spatial_shapes" in accepted:
            inputs = self._patches(pixels)
        elif "interpolate_pos_encoding" in accepted:
            inputs["interpolate_pos_encoding"] = True
        return features(**inputs) if features is not None else self.module(**inputs)

    def _patches(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Cut images into the patches that a SigLIP2 of any aspect ratio takes, colours last."""
        import torch

        patch = self._patch
        assert patch is not None
        side = self.preprocessing.size // patch
        cut = pixels.reshape(len(pixels), 3, side, patch, side, patch)
        return {
            "pixel_values": cut.permute(0, 2, 4, 3, 5, 1).reshape(len(pixels), side**2, -1),
            "pixel_attention_mask": torch.ones(
                len(pixels), side**2, dtype=torch.int32, device=pixels.device
            ),
            "spatial_shapes": torch.full((len(pixels), 2), side, device=pixels.device),
        }

    def _loaded(self) -> Any:
        options = self._options
        source = {"revision": options.revision, "trust_remote_code": False}
        try:
            config = _transformers().AutoConfig.from_pretrained(options.model, **source)
            kind = self._class_of(config)
            arguments: dict[str, Any] = {
                "dtype": options.dtype,
                "output_loading_info": True,
                "ignore_mismatched_sizes": True,  # they are told of below, by name
            }
            if options.checkpoint is None:
                module, info = kind.from_pretrained(
                    options.model, use_safetensors=True, **source, **arguments
                )
            else:
                module, info = kind.from_pretrained(
                    None,
                    config=kind.config_class.from_pretrained(options.model, **source),
                    state_dict=read_checkpoint(options.checkpoint),
                    **arguments,
                )
        except (OSError, ValueError, RuntimeError) as error:
            raise self._unreadable("weights", error) from None
        missing = set(info["missing_keys"])
        if missing and all(name.startswith("pooler.") for name in missing):
            # A classifier was trained without the pooler that its bare model has, on its class
            # token; what `from_pretrained` made up in its place is no part of the model.
            module.pooler = None
            missing = set()
        if options.checkpoint is not None:
            mismatched = (name for name, *_ in info["mismatched_keys"])
            check_names(
                options.checkpoint, options.model, missing, info["unexpected_keys"], mismatched
            )
            return module.eval()
        misfit = describe_report(module, {**info, "missing_keys": missing})
        if misfit:
            raise LatentmapError(
                f"{options.model} is no whole {kind.__name__}: it {misfit}; give the folder or id "
                "of a vision model as its authors made it."
            )
        return module.eval()

    def _class_of(self, config: Any) -> Any:
        """Return the class of the tower that a model's configuration describes."""
        if getattr(config, "mask_ratio", 0):
            raise LatentmapError(
                f"{self._options.model} hides patches of every image at random, "
                "so that no latent would come out twice; choose a model that sees whole images."
            )
        projecting = (
            name for name in config.architectures or () if name.endswith("ModelWithProjection")
        )
        name = VISION_ONLY.get(config.model_type) or next(projecting, None)
        if name is not None:
            kind = getattr(_transformers(), name)
        else:
            kind = _transformers().MODEL_MAPPING.get(type(config), None)
        is_vision = kind is not None and (
            kind.main_input_name == "pixel_values" or hasattr(kind, "get_image_features")
        )
        if not is_vision:
            raise LatentmapError(
                f"{self._options.model} is a '{config.model_type}', which encodes no images; for "
                "an autoencoder of diffusers choose the encoder 'vae'."
            )
        return kind

    def _preprocessing(self) -> Preprocessing:
        library = _transformers()
        model, source = self._options.model, {"revision": self._options.revision}
        try:
            try:
                processor = library.AutoImageProcessor.from_pretrained(
                    model, backend="pil", trust_remote_code=False, **source
                )
            except ImportError:
                # DINOv3's needs torchvision; what is read here is in the file of either.
                processor = library.ViTImageProcessorPil.from_pretrained(model, **source)
        except (OSError, ValueError) as error:
            raise self._unreadable("image processor", error) from None
        return Preprocessing(
            size=self._options.size or self._own_size(processor),
            resampling=int(processor.resample),
            mean=tuple(processor.image_mean) if processor.do_normalize else (0.0, 0.0, 0.0),
            std=tuple(processor.image_std) if processor.do_normalize else (1.0, 1.0, 1.0),
        )

    def _own_size(self, processor: Any) -> int:
        """Return the side of the square that a model's image processor gives the model."""
        patches = getattr(processor, "max_num_patches", None)
        if patches:
            return isqrt(patches) * int(processor.patch_size)
        shape = processor.crop_size if processor.do_center_crop else processor.size
        side = shape.height or shape.shortest_edge
        if not side or (shape.width or side) != side:
            raise LatentmapError(
                f"{self._options.model} does not say at what square size it takes images; set size."
            )
        return int(side)

    def _check_size(self) -> None:
        size, patch = self._options.size, self._patch
        if size and patch and size % patch:
            fitting = max(1, round(size / patch)) * patch
            raise LatentmapError(
                f"Size {size} is not a multiple of {patch}, the patches of {self._options.model}; "
                f"set size to {fitting}, or leave it out."
            )

    def _unreadable(self, part: str, error: Exception) -> LatentmapError:
        return unreadable(part, self._options.model, self._is_local, error)


def stated_side(processor: Mapping[str, Any]) -> int | None:
    """Return the side of the square that the settings of an image processor state, if they do."""
    if processor.get("max_num_patches"):
        return isqrt(processor["max_num_patches"]) * int(processor.get("patch_size", 16))
    crop = processor.get("crop_size")
    size = crop if processor.get("do_center_crop", crop is not None) else processor.get("size")
    if isinstance(size, Mapping):
        size = size.get("height") or size.get("shortest_edge")
    return size if isinstance(size, int) else None


def shape_of_patches(config: Mapping[str, Any], side: int | None) -> tuple[int, int, int] | None:
    """Return the shape of a tower's map of patches, (C, H, W), as its configuration states it.

    None where it does not, as of towers that merge patches or have none.
    """
    vision = config.get("vision_config") or config
    patch, width = vision.get("patch_size"), vision.get("hidden_size")
    if not (isinstance(patch, int) and isinstance(width, int) and side) or "depths" in vision:
        return None
    return width, side // patch, side // patch


def _transformers() -> Any:
    """Return the library, whose loaders carry no types."""
    import transformers

    return transformers
