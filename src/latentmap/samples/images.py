"""Images as cells of a source have them."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentmap.samples.cells import as_mapping
from latentmap.samples.faults import FaultError
from latentmap.samples.listing import boundary
from latentmap.store.files import digest, digest_bytes, digest_file

NOTHING = digest_bytes(b"")
"""Digest of a cell that holds nothing."""


class Images:
    """Image cells: bytes, `{bytes, path}` structs, or paths of files.

    Only files below `root` are read, so that a data set of someone else cannot name private ones.
    Names match whatever their Unicode form. A file that several rows share is read once.

    Args:
        root: the folder that paths are relative to.
        required: whether a row must have an image.
        follow_links: whether links that lead out of `root` may be followed.
    """

    def __init__(self, root: Path, required: bool = True, follow_links: bool = False) -> None:
        self._root = _lexical(root)
        self._required = required
        self._limit = None if follow_links else boundary(self._root)
        self._folders: dict[Path, Path] = {}
        self._plain: dict[str, str | None] = {}
        self._names: dict[Path, dict[str, str]] = {}
        self._blobs: dict[str, bytes | FaultError] = {}
        self._digests: dict[str, str] = {}

    def read(self, cell: Any) -> bytes | None:
        """Return the bytes of an image; null if the row has none and needs none.

        Raises:
            FaultError: the image cannot be had.
        """
        data, path = unpack(cell)
        if data is None and not path:
            if not self._required:
                return None
            raise FaultError(
                "no_image", "no image", "Give every row an image, or check 'columns.image'."
            )
        if data is None:
            assert path is not None
            data = self._blob(path)
        if not data:
            raise FaultError("empty_image", "image is empty", "Put a whole file in its place.")
        return data

    def digest(self, cell: Any) -> str:
        """Digest what `read` returns: of a file that it has read, the bytes that it got."""
        data, path = unpack(cell)
        if data is not None or path is None:
            return digest_bytes(data) if data else NOTHING
        found = self._blobs.get(path)
        if found is not None:
            return digest(found.reason) if isinstance(found, FaultError) else digest_bytes(found)
        if path not in self._digests:
            try:
                self._digests[path] = digest_file(self._file(path))
            except FaultError as fault:
                self._digests[path] = digest(fault.reason)
            except (OSError, ValueError) as error:
                self._digests[path] = digest(_unreadable(path, error).reason)
        return self._digests[path]

    def find(self, path: str) -> Path:
        """Return the file below the folder of images that a path names, whatever its Unicode form.

        It may not be there; it is what it would be called. A path may be written as on Windows.
        """
        file = _lexical(self._root / path)
        if "\\" in path and not _is_there(file):
            file = _lexical(self._root / path.replace("\\", "/"))
        if file.is_relative_to(self._root) and not str(file).isascii() and not _is_there(file):
            return self._in_other_form(file)
        return file

    def _blob(self, path: str) -> bytes:
        """Return the content of a file."""
        if path not in self._blobs:
            try:
                self._blobs[path] = Path(self._file(path)).read_bytes()
            except FaultError as fault:
                self._blobs[path] = fault
            except (OSError, ValueError) as error:
                self._blobs[path] = _unreadable(path, error)
        found = self._blobs[path]
        if isinstance(found, FaultError):
            raise found
        return found

    def _file(self, path: str) -> Path | str:
        """Return the file that a path names.

        Raises:
            FaultError: it is not to be read.
        """
        folder, _, name = path.rpartition("/")
        if name not in ("", ".", "..") and path.isascii() and "\\" not in path:
            inside = self._plain_folder(folder)
            if inside is not None and not os.path.islink(f"{inside}/{name}"):  # noqa: PTH114
                return f"{inside}/{name}"
        file = self.find(path)
        if not file.is_relative_to(self._root):
            raise FaultError(
                "outside_image",
                f"image is outside the folder of images (file {path})",
                "Put it below that folder, or set the folder to one that holds all images.",
            )
        if self._limit is not None and not self._real(file).is_relative_to(self._limit):
            raise FaultError(
                "outside_image",
                f"image is behind a link that leads out of the folder of images (file {path})",
                "Set 'follow_links' to true if what it leads to is part of the data.",
            )
        return file

    def _plain_folder(self, folder: str) -> str | None:
        """Return where a folder is if its files may be read, those that are no links; else None."""
        if folder not in self._plain:
            path = _lexical(self._root / folder)
            real, within = path.resolve(), self._limit or path
            is_inside = path.is_relative_to(self._root) and real.is_relative_to(within)
            self._plain[folder] = str(path) if is_inside else None
        return self._plain[folder]

    def _real(self, file: Path) -> Path:
        """Return a path without links; those of folders are looked up once."""
        if file.is_symlink():
            return file.resolve()
        if file.parent not in self._folders:
            self._folders[file.parent] = file.parent.resolve()
        return self._folders[file.parent] / file.name

    def _in_other_form(self, file: Path) -> Path:
        """Return the file whose path differs in its Unicode form only, else the same."""
        found = self._root
        for name in file.relative_to(self._root).parts:
            as_given = found / name
            found = as_given if _is_there(as_given) else found / self._named(found, name)
        return found

    def _named(self, folder: Path, name: str) -> str:
        """Return the name in a folder that is this one in another Unicode form, else the same."""
        if folder not in self._names:
            inside = folder.iterdir() if folder.is_dir() else ()
            self._names[folder] = {composed(entry.name): entry.name for entry in inside}
        return self._names[folder].get(composed(name), name)


def composed(text: str) -> str:
    """Return text in the Unicode form NFC, in which file systems differ."""
    return unicodedata.normalize("NFC", text)


def unpack(cell: Any) -> tuple[bytes | None, str | None]:
    """Return the bytes and the path that an image cell holds, which may be a literal of both."""
    if isinstance(cell, bytes):
        return cell, None
    if isinstance(cell, str) and cell.startswith("{"):
        cell = as_mapping(cell) or cell
    if isinstance(cell, str):
        return None, cell
    if isinstance(cell, Mapping):
        return cell.get("bytes"), cell.get("path")
    return None, None


def _unreadable(path: str, error: OSError | ValueError) -> FaultError:
    """Return why a file cannot be read; a name that no file can have is one that is missing."""
    if isinstance(error, ValueError | FileNotFoundError):
        remedy = "Put the file where the row says, or set the folder of images."
        return FaultError("no_image", f"image is missing (file {path})", remedy)
    remedy = "Make it a file that can be read."
    return FaultError(
        "unreadable_image", f"image cannot be read: {error.strerror} (file {path})", remedy
    )


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


def _lexical(path: Path) -> Path:
    # Without `..`, but with links as they are: a folder of images may well be a link.
    return Path(os.path.abspath(path))  # noqa: PTH100
