"""Pictures: the formats that can be opened here, and what is seen of one.

Every stage sees a picture as `open_picture` shows it: in RGB of 8 bits, the first frame of a film,
transparent pixels on white, and values that are no bytes by the range that they are in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from latentmap.samples.faults import FaultError

NO_PICTURES = frozenset({"EPS", "MPEG"})
"""Formats that Pillow lists although they are a page, by way of Ghostscript, or a film."""

WHOLE_RANGES = ((0, 255), (0, 4095), (0, 65535))
"""Ranges of whole numbers: 8, 12 and 16 bits."""

FLOAT_RANGES = ((0, 1), (-1, 1), *WHOLE_RANGES)
"""Ranges of floating-point numbers."""

FULL_RANGES = {"u": (0, 65535), "i": (0, 65535), "f": (0, 1)}
"""The range that values of a kind are expected in, by NumPy's letter: no note is made of it."""

PHOTOMETRIC, WHITE_IS_ZERO = 262, 0
"""Tag of a TIFF file, and its value in a negative."""

LOWER_BITS = 15
"""The upper 8 of 16 bits are at most this where only 12 are used."""


@dataclass(frozen=True)
class Picture:
    """What is seen of a picture.

    Attributes:
        image: in RGB, at the size of its stored pixels: an EXIF orientation is not applied.
        note: how its values are shown, where that is not obvious.
    """

    image: Image.Image
    note: str | None = None


@cache
def picture_formats() -> tuple[str, ...]:
    """Return the formats of pictures that Pillow can open as it is installed here, sorted."""
    Image.init()
    return tuple(sorted(name for name in Image.OPEN if name not in NO_PICTURES | _stubs()))


@cache
def picture_suffixes() -> frozenset[str]:
    """Return the suffixes of files in these formats, lower case, each with its dot."""
    # A stereo picture is opened as the JPEG that it begins with.
    known = {*picture_formats(), "MPO"}
    return frozenset(s for s, name in Image.registered_extensions().items() if name in known)


def picture_size(data: bytes | None) -> tuple[int, int] | None:
    """Return the (width, height) that a picture's header says; null if it has none."""
    try:
        with Image.open(BytesIO(data or b""), formats=picture_formats()) as image:
            return image.size
    except Exception:  # damaged files make decoders raise errors of every kind
        return None


def open_picture(data: bytes, at_least: int | None = None) -> Picture:
    """Decode a picture in full.

    Values of more than 8 bits are shown by the first of the ranges 0 to 1 and -1 to 1 (of
    floating-point numbers), 0 to 255, 0 to 4,095 and 0 to 65,535 that holds all of them, and if
    none does, from their own minimum to their maximum. So 12 bits in 16 are not black, and pictures
    of one kind stay comparable. NaN is shown as the bottom of the range, infinity as its end.

    Args:
        data: the file as it came.
        at_least: lets a JPEG be decoded at a fraction of its size, with no side below this.

    Raises:
        FaultError: it is damaged, truncated, too large to be a picture, or shows nothing.
    """
    # The switch is global and other packages turn it on: half a picture would pass for a whole one.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(BytesIO(data), formats=picture_formats()) as image:
            return _decoded(image, at_least)
    except FaultError:
        raise
    except Image.DecompressionBombError:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise FaultError(
            "huge_image", f"image has more than {limit} pixels", "Scale it down, boxes included."
        ) from None
    except Exception as error:  # damaged files make decoders raise errors of every kind
        cause = "unknown format" if isinstance(error, UnidentifiedImageError) else str(error)
        reason = f"image cannot be decoded ({' '.join(cause.split()) or type(error).__name__})"
        raise FaultError(
            "damaged_image", reason, "Replace the file by a whole one, in RGB."
        ) from None


def _stubs() -> set[str]:
    """Return the formats that Pillow knows but needs another library to open."""
    factories = ((name, factory) for name, (factory, _) in Image.OPEN.items())
    return {
        name
        for name, factory in factories
        if isinstance(factory, type) and issubclass(factory, ImageFile.StubImageFile)
    }


def _decoded(image: Image.Image, at_least: int | None) -> Picture:
    stored = str(getattr(image, "tile", ""))  # says how many bits a channel has in the file
    if at_least is not None:
        image.draft("RGB", (at_least, at_least))
    image.load()
    if image.mode[0] in "IF":
        shown = _by_range(np.asarray(image))
        # Pillow heeds what a TIFF file says of its zero in pictures of 8 bits only.
        is_negative = getattr(image, "tag_v2", {}).get(PHOTOMETRIC) == WHITE_IS_ZERO
        return Picture(ImageOps.invert(shown.image), shown.note) if is_negative else shown
    seen = _to_rgb(image)
    if ";16" in stored and np.asarray(seen).max() <= LOWER_BITS:
        raise FaultError(
            "dark_image",
            "image has colours of 16 bits of which it uses the lower ones only",
            "Save it with 8 bits a channel: Pillow reads the upper 8 of 16.",
        )
    return Picture(seen)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _by_range(values: NDArray[Any]) -> Picture:
    """Show grey values that are no bytes, (H, W), by the range that they are in."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise FaultError(
            "empty_image",
            "image has no value but NaN and infinity",
            "Correct the picture, or leave it out.",
        )
    low, high = finite.min().item(), finite.max().item()
    kind = values.dtype.kind
    ranges = FLOAT_RANGES if kind == "f" else WHOLE_RANGES
    fitting = ((a, b) for a, b in ranges if a <= low and high <= b)
    bottom, top = next(fitting, (low, high))
    whole = np.nan_to_num(values.astype(np.float64), nan=bottom, posinf=top, neginf=bottom)
    shown = np.rint((whole - bottom) * (255 / ((top - bottom) or 1)))
    image = Image.fromarray(shown.astype(np.uint8)).convert("RGB")
    if (bottom, top) == FULL_RANGES[kind]:
        return Picture(image)
    scale = "a scale" if (bottom, top) in ranges else "its own scale"
    return Picture(image, f"its grey values are shown on {scale} of {bottom:g} to {top:g}")
