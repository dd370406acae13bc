"""What counts as a picture: the formats that Pillow can open here."""

from __future__ import annotations

from functools import cache

from PIL import Image, ImageFile

NO_PICTURES = frozenset({"EPS", "MPEG"})
"""Formats that Pillow lists although they are a page, by way of Ghostscript, or a film."""


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


def _stubs() -> set[str]:
    """Return the formats that Pillow knows but needs another library to open."""
    factories = ((name, factory) for name, (factory, _) in Image.OPEN.items())
    return {
        name
        for name, factory in factories
        if isinstance(factory, type) and issubclass(factory, ImageFile.StubImageFile)
    }
