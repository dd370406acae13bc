"""Vision towers of open_clip and timm, which come with the extra `clip`.

Both need torchvision, which does not load beside every build of torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from PIL import Image

from latentmap.encode.checkpoints import check_names, read_checkpoint
from latentmap.encode.models import unreadable
from latentmap.encode.towers import Preprocessing, Tower, TowerOptions
from latentmap.errors import LatentmapError

if TYPE_CHECKING:
    import torch

HUB = "hf-hub:"
"""Start of the name that open_clip gives a model on the Hugging Face hub."""

TIMM = "timm/"
"""Start of the id of a model of timm on the Hugging Face hub."""


class OpenClipTower(Tower):
    """The vision tower of a model of open_clip: `hf-hub:timm/ViT-SO400M-16-SigLIP2-384`."""

    def __init__(self, options: TowerOptions) -> None:
        open_clip = _imported("open_clip", options.model)
        if options.revision is not None:
            raise LatentmapError(
                f"open_clip takes {options.model} at its newest revision only; leave out revision."
            )
        try:
            model = open_clip.create_model_from_pretrained(
                options.model, force_image_size=options.size, return_transform=False
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise unreadable("weights", options.model, False, error) from None
        # The text tower goes: only what `visual` holds sees images.
        self.module = _finished(model.visual, options, "visual.")
        given = self.module.preprocess_cfg
        self.preprocessing = _preprocessing(
            options, given["size"], given["interpolation"], given["mean"], given["std"]
        )

    def pooled(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the features in the space shared with texts."""
        features = self.module(pixels)
        return features[0] if isinstance(features, tuple) else features

    def tokens(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the patches of the last block, after the last norm."""
        found = self.module.forward_intermediates(
            pixels,
            indices=1,
            normalize_intermediates=True,
            intermediates_only=True,
            output_fmt="NCHW",
        )
        return found["image_intermediates"][-1]


class TimmTower(Tower):
    """A model of timm by its id on the hub: `timm/vit_base_patch14_dinov2.lvd142m`."""

    def __init__(self, options: TowerOptions) -> None:
        timm = _imported("timm", options.model)
        name = HUB + "@".join(filter(None, (options.model, options.revision)))
        try:
            model = timm.create_model(name, pretrained=True, num_classes=0)
        except (OSError, RuntimeError, ValueError) as error:
            raise unreadable("weights", options.model, False, error) from None
        if options.size is not None and hasattr(model, "set_input_size"):
            model.set_input_size(img_size=(options.size, options.size))
        self.module = _finished(model, options, "")
        given = timm.data.resolve_model_data_config(model)
        self.preprocessing = _preprocessing(
            options, given["input_size"][1:], given["interpolation"], given["mean"], given["std"]
        )

    def pooled(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return what the model's classifier would see."""
        return self.module(pixels)

    def tokens(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the patches of the last block, after the last norm."""
        return self.module.forward_intermediates(
            pixels, indices=1, norm=True, output_fmt="NCHW", intermediates_only=True
        )[-1]


def _imported(package: str, model: str) -> Any:
    try:
        return importlib.import_module(package)
    # A torchvision that was built for another torch fails to register its operators.
    except (ImportError, RuntimeError) as error:
        import torch

        raise LatentmapError(
            f"{model} needs {package}, which does not load here ({error}); install it with "
            f'pip install "latentmap[clip]", and the torchvision that matches torch '
            f"{torch.__version__}, from where torch came."
        ) from None


def _finished(module: Any, options: TowerOptions, prefix: str) -> Any:
    """Give a module the checkpoint's weights, if there is one, and make it ready to run."""
    if options.checkpoint is not None:
        weights = read_checkpoint(options.checkpoint)
        own = {name.removeprefix(prefix): w for name, w in weights.items() if prefix in name}
        try:
            found = module.load_state_dict(own or weights, strict=False)
        except RuntimeError as error:
            raise unreadable("weights", options.checkpoint, True, error) from None
        check_names(options.checkpoint, options.model, found.missing_keys, found.unexpected_keys)
    return module.to(options.dtype).eval()


def _preprocessing(
    options: TowerOptions, size: Any, interpolation: str, mean: Any, std: Any
) -> Preprocessing:
    height, width = (size, size) if isinstance(size, int) else size
    if options.size is None and height != width:
        raise LatentmapError(f"{options.model} takes images of {width} × {height}; set size.")
    known = Image.Resampling.__members__
    # `random` is what is trained with, not looked with.
    method = known.get(interpolation.upper(), Image.Resampling.BICUBIC)
    return Preprocessing(options.size or int(height), int(method), tuple(mean), tuple(std))
