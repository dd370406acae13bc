"""Atomic writes and content digests."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from latentmap.errors import LatentmapError

SAMPLED_BYTES = 64 * 1024


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
    """Digest the size, the first and the last 64 KiB of a blob, as `digest_file` does."""
    return digest(str(len(data)), data[:SAMPLED_BYTES], data[SAMPLED_BYTES:][-SAMPLED_BYTES:])


def digest_file(path: Path | str) -> str:
    """Digest the size, the first and the last 64 KiB of a file: content, never time.

    Files up to 128 KiB are read whole; of larger ones (photographs, weights) the two ends are
    read, so that planning a run over a hundred thousand images takes seconds. An edit that leaves
    size, head and tail as they were goes unseen.
    """
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(SAMPLED_BYTES)
        file.seek(max(SAMPLED_BYTES, size - SAMPLED_BYTES))
        return digest(str(size), head, file.read(SAMPLED_BYTES))
