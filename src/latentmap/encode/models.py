"""What encoders that load a model share: its digest, its device, and how its absence reads."""

from __future__ import annotations

from pathlib import Path

from latentmap.errors import LatentmapError
from latentmap.store.files import digest, digest_file


def folder_digest(folder: Path) -> str:
    """Return a digest of the weights and configuration files that lie in a model's folder."""
    files = sorted(
        path for ending in ("json", "safetensors") for path in folder.glob(f"*.{ending}")
    )
    return digest(*(f"{file.name} {digest_file(file)}" for file in files))


def pick_device(name: str) -> str:
    """Return the device to run on; `auto` takes a GPU if there is one.

    Raises:
        LatentmapError: the device is not there.
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return next((device for device, found in there.items() if found), "cpu")
    if not there.get(name, True):
        raise LatentmapError(f"There is no '{name}' device here; set device to auto or cpu.")
    return name


def be_deterministic() -> None:
    """Let no convolution's algorithm depend on a race or a timing: same input, same bytes."""
    import torch

    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def unreadable(part: str, model: str, is_local: bool, error: Exception) -> LatentmapError:
    """Return the error of a part of a model that did not load, in one line.

    Args:
        part: what of the model, such as `weights`.
        model: its folder or hub id.
        is_local: whether it is a local folder.
        error: what went wrong.
    """
    reason = " ".join(str(error).split())
    if is_local:
        return LatentmapError(f"The {part} of {model} cannot be read: {reason}")
    return LatentmapError(
        f"The {part} of {model} cannot be had: there is no such folder, and the Hugging Face hub "
        "did not give it (offline, unknown id or revision, gated, or no safetensors): "
        f"{reason}"
    )
