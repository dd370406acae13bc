"""Atomic writes and content digests."""

from __future__ import annotations

import hashlib
import json
import math
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from latentmap.errors import LatentmapError

WHOLE_BYTES = 2**20
"""Files up to this size are read whole, whatever they are."""

END_BYTES = 2**16
"""Bytes that are read at either end of larger pictures."""

CODED = ((0, b"\xff\xd8\xff"), (0, b"\x89PNG"), (0, b"GIF8"), (8, b"WEBP"), (4, b"ftypavi"))
"""Where JPEG, PNG, GIF, WebP and AVIF have which bytes."""

ZIP = b"PK\x03\x04"
"""First bytes of a zip archive."""


@contextmanager
def atomic(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success sync it to disk and rename it into place.

    A job that is killed leaves the temporary file, never half of `path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path | str, value: Any) -> None:
    """Write JSON atomically, with sorted keys; a figure that is not a number becomes null."""
    text = json.dumps(_finite(value), indent=1, sort_keys=True, ensure_ascii=False)
    write_text(path, text + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def read_json(path: Path | str) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text("utf-8"))


@contextmanager
def reading(path: Path | str, what: str) -> Iterator[None]:
    """Say in one line that a file of ours is damaged where what it holds is not as it should be.

    Args:
        path: the file.
        what: it should be, with its article.

    Raises:
        LatentmapError: names the file and the remedy.
    """
    try:
        yield
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise LatentmapError(
            f"{path} is not {what} ({error!r}). Delete it and run again."
        ) from None


def digest(*parts: bytes | str) -> str:
    """Return 16 hexadecimal digits that identify these parts in this order."""
    total = hashlib.blake2b(digest_size=8)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.hexdigest()


def digest_bytes(data: bytes) -> str:
    """Digest the content of a blob as `digest_file` does that of a file."""
    return _digest_stream(BytesIO(data))


def digest_file(path: Path | str) -> str:
    """Digest the content of a file, never its time.

    A file is read whole, but for two kinds of large ones, so that planning a hundred thousand
    photographs stays quick. Of pictures whose values are coded one after the other (JPEG, PNG, GIF,
    WebP, AVIF) it is the size, the first and the last 64 KiB: a change in the middle moves what
    comes after it. Of a zip archive (`.npz`, `.pt`) it is the checksums of its members, if they
    have any.
    """
    with Path(path).open("rb") as file:
        return _digest_stream(file)


def _digest_stream(file: BytesIO | BufferedReader) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size > WHOLE_BYTES:
        head = file.read(END_BYTES)
        if _is_coded(head):
            file.seek(-END_BYTES, os.SEEK_END)
            return digest(str(size), head, file.read(END_BYTES))
        if head.startswith(ZIP) and (checksums := _checksums(file)):
            return digest(str(size), head, *checksums)
        file.seek(0)
    return digest(str(size), hashlib.file_digest(file, "sha256").digest())


def _is_coded(head: bytes) -> bool:
    """Return whether a file that begins so codes its values one after the other."""
    return any(head.startswith(mark, start) for start, mark in CODED)


def _checksums(file: BinaryIO) -> list[str]:
    """Return names, sizes and checksums of the members of an archive; none if one has none."""
    try:
        members = zipfile.ZipFile(file).infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return []
    if any(member.file_size and not member.CRC for member in members):
        return []
    return [f"{member.filename} {member.file_size} {member.CRC}" for member in members]
