"""What weights say of themselves in the headers of their files, read in microseconds."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from latentmap.errors import LatentmapError
from latentmap.store.files import read_plain_json

Shapes = Mapping[str, tuple[int, ...]]

PICKLE = b"\x80"
"""First byte of what old versions of torch saved, which is no archive."""


def read_shapes(path: Path | str) -> Shapes:
    """Return the shape of every weight in a safetensors file by its name; no weight is read.

    Raises:
        LatentmapError: it is no such file, or not whole.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise LatentmapError(f"{path}: {error}. Check the model's files.") from None
    except SafetensorError as error:
        raise LatentmapError(
            f"{path} is no whole safetensors file ({error}); fetch the model again."
        ) from None


def check_file(path: Path | str) -> None:
    """Look at a file of weights without reading any: safetensors, or what `torch.save` wrote.

    Raises:
        LatentmapError: it is not there, or not whole.
    """
    if Path(path).suffix == ".safetensors":
        read_shapes(path)
    elif not Path(path).is_file():
        raise LatentmapError(f"{path}: no such file. Check the model's files.")
    elif not zipfile.is_zipfile(path) and _first_byte(path) != PICKLE:
        raise LatentmapError(
            f"{path} is no whole file that torch.save wrote; fetch it again, or save the weights "
            "as safetensors."
        )


def read_folder(folder: Path) -> Shapes:
    """Return the shapes of the weights in all safetensors files of a model's folder.

    Raises:
        LatentmapError: one is not whole, or an index names a file that is not there.
    """
    for listing in sorted(folder.glob("*.safetensors.index.json")):
        try:
            named = set(read_plain_json(listing)["weight_map"].values())
        except (KeyError, AttributeError, TypeError) as error:
            raise LatentmapError(
                f"{listing} is no index of weights ({error!r}); fetch the model again."
            ) from None
        missing = sorted(name for name in named if not (folder / str(name)).exists())
        if missing:
            raise LatentmapError(
                f"{folder} lacks {len(missing)} of the files that {listing.name} names "
                f"({missing[0]}); fetch the model again."
            )
    shapes: dict[str, tuple[int, ...]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        shapes |= read_shapes(path)
    return shapes


def _first_byte(path: Path | str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(1)
