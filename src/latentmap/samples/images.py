"""Images as cells of a source have them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentmap.store.files import digest_bytes, digest_file


class Images:
    """Image cells: bytes, `{bytes, path}` structs, or paths of files.

    Only files below `root` are read, so that a data set of someone else cannot name private ones.
    A file that several rows share is read once.

    Args:
        root: the folder that paths are relative to.
        absent: what a row without an image has: nothing to decode, which sets it aside, or null
            where a sample needs no image.
    """

    def __init__(self, root: Path, absent: bytes | None = b"") -> None:
        self._root = _lexical(root)
        self._absent = absent
        self._blobs: dict[str, bytes] = {}
        self._digests: dict[str, str] = {}

    def read(self, cell: Any) -> bytes | None:
        """Return the bytes of an image; empty where they cannot be had."""
        data, path = unpack(cell)
        if data is not None or path is None:
            return self._absent if data is None else data
        if path not in self._blobs:
            try:
                self._blobs[path] = self._file(path).read_bytes()
            except (OSError, ValueError):
                self._blobs[path] = b""
        return self._blobs[path]

    def digest(self, cell: Any) -> str:
        """Digest what `read` would return."""
        data, path = unpack(cell)
        if data is not None or path is None:
            return digest_bytes(data or b"")
        if path not in self._digests:
            try:
                self._digests[path] = digest_file(self._file(path))
            except (OSError, ValueError):
                self._digests[path] = "missing"
        return self._digests[path]

    def _file(self, path: str) -> Path:
        file = _lexical(self._root / path)
        if not file.is_relative_to(self._root):
            raise ValueError(f"{file} is outside {self._root}")
        return file


def unpack(cell: Any) -> tuple[bytes | None, str | None]:
    """Return the bytes and the path that an image cell holds."""
    if isinstance(cell, bytes):
        return cell, None
    if isinstance(cell, str):
        return None, cell
    if isinstance(cell, Mapping):
        return cell.get("bytes"), cell.get("path")
    return None, None


def _lexical(path: Path) -> Path:
    # Without `..`, but with links as they are: a folder of images may well be a link.
    return Path(os.path.abspath(path))  # noqa: PTH100
