"""The one host that pages may load pictures from."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from latentmap.errors import LatentmapError


def picture_host(image_url: str | None) -> str | None:
    """Return the scheme, host and port that pictures come from; null if they are files.

    Raises:
        LatentmapError: the URL has none.
    """
    if image_url is None or "://" not in image_url:
        return None
    parts = urlsplit(image_url)
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[\w.:\[\]-]+", parts.netloc):
        raise LatentmapError(
            f"'{image_url}' has no host that pages could name. Give a URL such as "
            "https://host/images, or a folder."
        )
    return f"{parts.scheme}://{parts.netloc}"
