"""What encoders that load a model share: its digest, and how its absence reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from latentmap.encode.headers import read_folder
from latentmap.errors import LatentmapError
from latentmap.store.files import digest, digest_file, read_plain_json


def folder_digest(folder: Path) -> str:
    """Return a digest of the weights and configuration files that lie in a model's folder."""
    files = sorted(
        path for ending in ("json", "safetensors") for path in folder.glob(f"*.{ending}")
    )
    return digest(*(f"{file.name} {digest_file(file)}" for file in files))


def check_model(model: str, subfolder: str | None = None, has_weights: bool = True) -> None:
    """Refuse a local model that could not be loaded, without loading it; one on the hub passes.

    Args:
        model: local folder or hub id.
        subfolder: folder inside the model.
        has_weights: whether its own weights are needed.

    Raises:
        LatentmapError: it is no folder, or its configuration or weights are not there or not
            whole.
    """
    root = Path(model)
    folder = root / (subfolder or "")
    if not root.is_dir():
        if root.is_file():
            raise LatentmapError(
                f"{model} is a file. Set 'model' to the folder of a model: config.json, and the "
                "weights as safetensors."
            )
        if model.startswith((".", "/", "~")) or model.count("/") > 1:
            raise LatentmapError(f"{model}: no such folder. Check 'model'.")
        return
    try:
        config = read_plain_json(folder / "config.json")
    except OSError:
        inside = sorted(path.parent.name for path in root.glob("*/config.json"))
        known = f"; 'subfolder' may be {' or '.join(inside)}" if inside else ""
        raise LatentmapError(
            f"{folder} has no config.json, which says what model it is. Check 'model'{known}."
        ) from None
    if not isinstance(config, dict):
        raise LatentmapError(f"{folder / 'config.json'} is no JSON object. Fetch the model again.")
    if has_weights and not read_folder(folder):
        raise LatentmapError(f"{folder} has no weights as safetensors, which alone are read.")


def known_json(
    model: str, name: str, revision: str | None = None, subfolder: str | None = None
) -> dict[str, Any] | None:
    """Return a JSON file of a model if it is on this machine; nothing is fetched.

    Args:
        model: local folder or hub id.
        name: of the file.
        revision: commit of a model on the hub.
        subfolder: folder inside the model.
    """
    path = Path(model) / (subfolder or "") / name
    if not Path(model).is_dir():
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError

        try:
            place = "/".join(filter(None, (subfolder, name)))
            cached = try_to_load_from_cache(model, place, revision=revision)
        except HFValidationError:
            return None
        if not isinstance(cached, str):
            return None
        path = Path(cached)
    try:
        found = read_plain_json(path)
    except (OSError, LatentmapError):
        return None
    return found if isinstance(found, dict) else None


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
