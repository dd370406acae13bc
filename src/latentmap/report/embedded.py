"""Data inside a page: as JSON where it is small, packed where it is most of the page."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode, b64encode
from typing import Any

from latentmap.store.files import json_text

COMPACT = {"ensure_ascii": False, "separators": (",", ":")}


def embedded_json(value: Any) -> str:
    """Return JSON that no value can break out of when it stands in a `<script>` element."""
    text = json_text(value, **COMPACT)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def packed(value: Any) -> str:
    """Return the base64 of compressed JSON, about a third of its length; `unpacked` reads it."""
    return b64encode(gzip.compress(json_text(value, **COMPACT).encode(), mtime=0)).decode()


def unpacked(text: str) -> Any:
    """Return what `packed` was given."""
    return json.loads(gzip.decompress(b64decode(text)))
