"""Any diffusers autoencoder, by hub id or local folder: its deterministic latents (C, H, W)."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from latentmap.config import UserPath
from latentmap.encode.batches import ImageBatches
from latentmap.encode.calibration import StatedStatistics
from latentmap.encode.checkpoints import check_finite, describe_misfit
from latentmap.encode.devices import pick_device
from latentmap.encode.encoder import Finish
from latentmap.encode.headers import Shapes, check_file, read_folder
from latentmap.encode.images import ImageEncoder, ImageOptions
from latentmap.encode.models import (
    be_deterministic,
    check_model,
    folder_digest,
    known_json,
    unreadable,
)
from latentmap.encode.originals import Original, read_original
from latentmap.encode.single_frame import convolve_in_the_plane
from latentmap.errors import LatentmapError
from latentmap.store.files import digest_file, read_plain_json

if TYPE_CHECKING:
    import torch

STATED_BESIDE_WEIGHTS = "reconstruction.json"
"""File of a local model that may state `latents_mean` and `latents_std` where its config cannot."""

NOT_OF_ENCODERS = ("decoder.", "post_quant_conv.", "loss.")
"""Starts of the names of weights that change no latent: of decoders, and of training alone."""


def _ascending(ends: tuple[float, float]) -> tuple[float, float]:
    if not ends[0] < ends[1]:
        raise ValueError("the first must be below the second")
    return ends


class VaeOptions(ImageOptions):
    """Options of a diffusers autoencoder.

    Attributes:
        model: local folder, id on the Hugging Face hub, or file of weights as the authors of TAESD,
            Wan 2.1 or latent diffusion (Stable Diffusion and its kind) publish them, such as
            `taesd_encoder.pth` or `Wan2.1_VAE.pth`.
        subfolder: folder of the autoencoder inside the model.
        revision: commit of a model on the hub; pin it, a branch moves.
        dtype: number format in which the model runs.
        device: where the model runs; `auto` takes a GPU if there is one.
        pixel_range: what black and white are given to the model as. All of diffusers' autoencoders
            expect -1 and 1; another range repeats what a program did that knew no better.
        normalize: give latents minus the model's own mean, over its own standard deviation.
    """

    model: UserPath = Field(min_length=1)
    subfolder: str | None = None
    revision: str | None = None
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    pixel_range: Annotated[tuple[float, float], AfterValidator(_ascending)] = (-1, 1)
    normalize: bool = False


class Vae(ImageEncoder[VaeOptions]):
    """A diffusers autoencoder of images, or of videos that are one frame long.

    Its class is the one that the model's own configuration names; weights are read as safetensors
    only, and no code comes with them. Latents are the mode of the posterior.
    """

    Options: type[VaeOptions] = VaeOptions
    rank: Literal["map", "vector"] = "map"

    def revision(self) -> str:
        """Return a digest of a local model's files or file, or the hub id and its revision."""
        folder = self._folder
        if folder is not None:
            return folder_digest(folder)
        if self._is_file:
            return digest_file(self.options.model)
        return f"{self.options.model}@{self.options.revision or 'main'}"

    def check(self) -> None:
        """Check that a local model is whole, and that its size fits it; see `Encoder.check`."""
        if self._is_file:
            check_file(self.options.model)
            return
        check_model(self.options.model, self.options.subfolder)
        if self._folder is not None:
            self._check_widths(read_folder(self._folder))
            self._check_size()

    def shape(self) -> tuple[int, ...] | None:
        """Return the shape of the latents where the model's config.json is on this machine."""
        options = self.options
        config = known_json(options.model, "config.json", options.revision, options.subfolder) or {}
        channels = config.get("latent_channels") or config.get("z_dim")
        side = options.size // spatial_factor(config)
        return (int(channels), side, side) if channels else None

    def load(self) -> None:
        """Load the model.

        Raises:
            LatentmapError: it cannot be found or is no autoencoder, its weights do not fit it or
                are not finite, the size does not fit it, or the device is not there.
        """
        import torch

        kind = self._class
        self._check_size()
        if self.options.normalize and self._stated is None:
            raise LatentmapError(
                f"{self._label} states no statistics of its latents; leave out 'normalize'."
            )
        self._device = pick_device(self.options.device)
        self._dtype = getattr(torch, self.options.dtype)
        self._batches = ImageBatches(self._device)
        self.begun = self._batches.begun
        be_deterministic()
        model = self._loaded(kind)
        check_finite(model, self._label, NOT_OF_ENCODERS)
        # Autoencoders of videos convolve over time too.
        self._is_video = any(parameter.ndim == 5 for parameter in model.parameters())
        convolve_in_the_plane(model)
        # Convolutions of images are up to twice as fast with the channels innermost.
        layout = torch.contiguous_format if self._is_video else torch.channels_last
        self._model = model.to(self._device, memory_format=layout).eval()

    def _check_widths(self, shapes: Shapes) -> None:
        """Refuse weights whose first or last layer is not as wide as the configuration says."""
        for name, allowed in widths(self._config).items():
            if allowed and name in shapes and shapes[name][0] not in allowed:
                raise LatentmapError(
                    f"The weights of {self._label} are not those of its config.json: {name} is "
                    f"{shapes[name][0]} wide where {' or '.join(map(str, sorted(allowed)))} is "
                    "said; fetch both from one place."
                )

    @property
    def _class(self) -> Any:
        """The model's class, as its configuration names it."""
        import diffusers

        name = self._config.get("_class_name")
        kind = getattr(diffusers, str(name), None)
        if not (isinstance(kind, type) and issubclass(kind, diffusers.ModelMixin)):
            raise LatentmapError(
                f"{self._label} is a '{name}', which is no model of diffusers; give the folder of "
                "an autoencoder (its subfolder is often 'vae')."
            )
        if not hasattr(kind, "encode"):
            raise LatentmapError(f"{self._label} is a {kind.__name__}, which encodes no images.")
        return kind

    def _loaded(self, kind: Any) -> Any:
        """Return the model with its weights, all of those that an encoder needs."""
        from diffusers.utils import logging

        # Its reports of decoders would fill the log; what matters is checked here.
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            if self._original is not None:
                model = kind(**self._original.arguments).to(self._dtype)
                found = model.load_state_dict(self._original.weights, strict=False)
                info = {
                    "missing_keys": found.missing_keys,
                    "unexpected_keys": found.unexpected_keys,
                }
            else:
                model, info = kind.from_pretrained(
                    self.options.model,
                    subfolder=self.options.subfolder,
                    revision=self.options.revision,
                    torch_dtype=self._dtype,
                    use_safetensors=True,
                    low_cpu_mem_usage=False,  # which would need accelerate
                    output_loading_info=True,
                    ignore_mismatched_sizes=True,  # they are told of below, by name
                )
        except (OSError, ValueError, RuntimeError) as error:
            raise self._unreadable("weights", error) from None
        mismatched = (name for name, *_ in info.get("mismatched_keys", ()))
        misfit = describe_misfit(
            *map(_of_encoders, (info["missing_keys"], info["unexpected_keys"], mismatched))
        )
        if misfit:
            raise LatentmapError(
                f"The weights of {self._label} are not those of its {kind.__name__}: the file "
                f"{misfit}; fetch the model again, or give the configuration that belongs to it."
            )
        return model

    def encode(self, batch: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Encode (size, size, 3) uint8 images: (n, C, H, W) float32."""
        return self.begin(batch)()

    def begin(self, batch: Sequence[NDArray[np.uint8]]) -> Finish:
        """Begin to encode images; see `Encoder.begin`."""
        finish = self._batches.begin(batch, self._latents)
        if self.options.normalize:
            return lambda: self._normalized(finish())
        return finish

    def _latents(self, images: torch.Tensor) -> torch.Tensor:
        """Encode (n, size, size, 3) uint8 images on the device."""
        black, white = self.options.pixel_range
        pixels = images.permute(0, 3, 1, 2).to(self._dtype) / (255 / (white - black)) + black
        latents = _mode(self._model.encode(pixels.unsqueeze(2) if self._is_video else pixels))
        return latents.squeeze(2) if self._is_video else latents

    def statistics(self) -> StatedStatistics | None:
        """Return the statistics of what `encode` gives: the model's own, or those of unit noise."""
        if self.options.normalize and self._stated is not None:
            channels = len(self._stated.mean)
            return StatedStatistics((0.0,) * channels, (1.0,) * channels)
        return self._stated

    def _normalized(self, latents: NDArray[np.float32]) -> NDArray[np.float32]:
        assert self._stated is not None
        mean, std = (
            np.array(values, np.float32)[:, None, None]
            for values in (self._stated.mean, self._stated.std)
        )
        return (latents - mean) / std

    @cached_property
    def _stated(self) -> StatedStatistics | None:
        beside = self._folder / STATED_BESIDE_WEIGHTS if self._folder is not None else None
        return stated_statistics(
            {**self._config, **read_plain_json(beside)}
            if beside is not None and beside.exists()
            else self._config
        )

    @cached_property
    def _config(self) -> dict[str, Any]:
        """The model's config.json, or what stands for it."""
        if self._original is not None:
            import diffusers

            kind = getattr(diffusers, self._original.kind)
            stated = inspect.signature(kind.__init__).parameters.items()
            defaults = {name: one.default for name, one in stated if one.default is not one.empty}
            return {"_class_name": kind.__name__, **defaults, **self._original.arguments}
        folder = self._folder
        try:
            if folder is not None:
                return read_plain_json(folder / "config.json")
            import diffusers

            return diffusers.AutoModel.load_config(
                self.options.model,
                subfolder=self.options.subfolder,
                revision=self.options.revision,
            )
        except (OSError, ValueError) as error:
            raise self._unreadable("config.json", error) from None

    @cached_property
    def _original(self) -> Original | None:
        """A model that its authors publish as one file."""
        return read_original(self.options.model) if self._is_file else None

    @property
    def _is_file(self) -> bool:
        return Path(self.options.model).is_file()

    @property
    def _folder(self) -> Path | None:
        """The model's folder if it is a local one."""
        root = Path(self.options.model)
        return root / (self.options.subfolder or "") if root.is_dir() else None

    @property
    def _label(self) -> str:
        return "/".join(filter(None, (self.options.model, self.options.subfolder)))

    def _unreadable(self, part: str, error: Exception) -> LatentmapError:
        return unreadable(part, self._label, self._folder is not None, error)

    def _check_size(self) -> None:
        factor = spatial_factor(self._config)
        if self.options.size % factor:
            fitting = max(1, round(self.options.size / factor)) * factor
            raise LatentmapError(
                f"Size {self.options.size} is not a multiple of {factor}, by which {self._label} "
                f"makes images smaller; set size to {fitting}."
            )


def stated_statistics(config: Mapping[str, Any]) -> StatedStatistics | None:
    """Return the channel statistics that a model's configuration states.

    `latents_mean` and `latents_std` hold one value per channel, or one per channel and frame
    (Cosmos), of which the first frame's are taken. Else `scaling_factor` is one over the standard
    deviation of all channels about `shift_factor` (Rombach et al. 2022, appendix G); a factor of 1
    states nothing.
    """
    channels = config.get("latent_channels") or config.get("z_dim")
    mean, std = config.get("latents_mean"), config.get("latents_std")
    if mean and std and channels and len(mean) == len(std) and len(mean) % channels == 0:
        frames = len(mean) // channels
        return StatedStatistics(tuple(mean[::frames]), tuple(std[::frames]))
    scaling = config.get("scaling_factor")
    if channels and scaling and scaling != 1:
        shift = float(config.get("shift_factor") or 0)
        return StatedStatistics((shift,) * channels, (1 / scaling,) * channels)
    return None


def widths(config: Mapping[str, Any]) -> dict[str, set[int]]:
    """Return how wide an encoder's first and last layer may be, by its configuration.

    Names are those of diffusers' classes, few of which have all of these layers. The last gives the
    latents, or their mean and variance.
    """
    channels = config.get("latent_channels") or config.get("z_dim")
    blocks = config.get("encoder_block_out_channels") or config.get("block_out_channels")
    first = set(blocks or filter(None, [config.get("base_dim")]))
    last = {channels, 2 * channels} if channels else set()
    return {
        "encoder.conv_in.weight": first,
        "encoder.conv_in.conv_s.weight": first,
        "encoder.layers.0.weight": first,
        "encoder.conv_out.weight": last,
    }


def spatial_factor(config: Mapping[str, Any]) -> int:
    """Return by how much a model makes images smaller, from its configuration."""
    stated = config.get("scale_factor_spatial") or config.get("spatial_compression_ratio")
    if stated:
        return int(stated)
    blocks = config.get("encoder_block_out_channels") or config.get("block_out_channels") or [1]
    return 2 ** (len(blocks) - 1)


def _of_encoders(names: Iterable[str]) -> list[str]:
    """Return the names of weights that encoding needs."""
    return [name for name in names if not name.startswith(NOT_OF_ENCODERS)]


def _mode(output: Any) -> torch.Tensor:
    """Return the deterministic latents of what a diffusers autoencoder's `encode` gives."""
    if hasattr(output, "latent_dist"):
        return output.latent_dist.mode()
    return output.latents if hasattr(output, "latents") else output.latent
