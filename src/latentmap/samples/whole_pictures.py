"""Whole pictures as browsers show them: as they came where that can be, else as PNG."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from latentmap.samples.pictures import open_picture
from latentmap.store.files import digest_bytes

SUFFIXES = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "GIF": "gif", "WEBP": "webp", "AVIF": "avif"}
"""Of the formats that browsers show."""

SHOWN_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"})
"""Modes of Pillow whose values have up to 8 bits, which browsers show as every stage sees them."""


def suffix_in_browsers(image: bytes) -> str | None:
    """Return the suffix of a picture that browsers show as every stage sees it; else null."""
    with Image.open(BytesIO(image)) as opened:
        return SUFFIXES.get(str(opened.format)) if opened.mode in SHOWN_MODES else None


def whole_picture_file(image: bytes) -> str:
    """Return where a whole picture lies in the folder of all, `{xx}/{digest}.{suffix}`."""
    name = digest_bytes(image)
    return f"{name[:2]}/{name}.{suffix_in_browsers(image) or 'png'}"


def whole_picture(image: bytes) -> bytes:
    """Return a picture in a format that browsers show: as it is if it can, else as PNG."""
    if suffix_in_browsers(image) is not None:
        return image
    content = BytesIO()
    open_picture(image).image.save(content, "PNG")
    return content.getvalue()
