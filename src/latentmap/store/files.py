"""Atomic writes, JSON, and content digests."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import math
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from glob import escape
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol

from latentmap.errors import LatentmapError
from latentmap.store.stamp import damaged, read_stamped_text, stamped_text

WHOLE_BYTES = 2**20
"""Files up to this size are read whole, whatever they are."""

END_BYTES = 2**16
"""Bytes that are read at either end of larger pictures."""

CODED = ((0, b"\xff\xd8\xff"), (0, b"\x89PNG"), (0, b"GIF8"), (8, b"WEBP"), (4, b"ftypavi"))
"""Where JPEG, PNG, GIF, WebP and AVIF have which bytes."""

ZIP = b"PK\x03\x04"
"""First bytes of a zip archive."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
STAMP = "stamp"
"""Key of a JSON object of ours that is its last one and holds no result."""


class Memory(Protocol):
    """What may know digests of files."""

    def digest(self, path: Path | str, read: Callable[[Path | str], str]) -> str:
        """Return the digest of a file, by reading it if need be."""


KNOWN_DIGESTS: ContextVar[Memory | None] = ContextVar("known_digests", default=None)
"""Asked before a file is digested, where one plan follows another; see `store.digests`."""


@contextmanager
def atomic(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success sync it to disk and rename it into place.

    A job that is killed leaves the temporary file, never half of `path`; the next writer of `path`
    removes it.

    Raises:
        LatentmapError: the disk is full.
    """
    path = Path(path)
    # Random, as processes on two machines that share a disk may have the same number.
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_left_over(path)
        with temporary.open("x+b") as file:
            with suppress(OSError):
                _lock(file)
            yield temporary
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise _full(path, temporary, error) from None
    finally:
        temporary.unlink(missing_ok=True)


def move(path: Path, to: Path) -> None:
    """Rename a file that is written whole, and sync its folder."""
    path.replace(to)
    _sync_folder(to.parent)


def lock_folder(name: str) -> Path:
    """Return the folder of locks that this user's processes share on this machine."""
    folder = Path(tempfile.gettempdir()) / f"latentmap-{name}-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _full(path: Path, temporary: Path, error: OSError) -> LatentmapError:
    written = temporary.stat().st_size if temporary.exists() else 0
    free = shutil.disk_usage(path.parent if path.parent.exists() else ".").free
    return LatentmapError(
        f"{path} cannot be written: {os.strerror(error.errno or 0)}, after {written:,} bytes of "
        f"it, with {free:,} bytes free. Make room in {path.parent} and run again."
    )


def _remove_left_over(path: Path) -> None:
    """Remove the temporary files of writers of a file that were killed.

    A writer keeps a lock on its file, which ends with it, on whatever machine it runs. Where a
    file system has no locks, nothing is removed.
    """
    for temporary in path.parent.glob(f".{escape(path.name)}.*.tmp"):
        with suppress(OSError), temporary.open("r+b") as file:
            _lock(file)
            temporary.unlink()


def _lock(file: IO[bytes]) -> None:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sync_folder(folder: Path) -> None:
    """Sync the names of files to disk, where a file system can."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(opened)
    finally:
        os.close(opened)


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_stamped_text(path: Path | str, start: str, end: str) -> None:
    """Write UTF-8 text atomically that `read_stamped_text` reads.

    Args:
        path: the file.
        start: all of the text up to what opens a comment, or a value, for the stamp.
        end: what closes it.
    """
    write_text(path, stamped_text(path, start, end))


def write_plain_json(path: Path | str, value: Any) -> None:
    """Write JSON for other tools atomically, with sorted keys; not-a-number becomes null."""
    write_text(path, _json(value) + "\n")


def write_json(path: Path | str, value: Mapping[str, Any], *, sort_keys: bool = True) -> None:
    """Write an object for `read_json`: as `write_plain_json`, with a stamp as its last key."""
    content = _json(value, sort_keys).removesuffix("}").rstrip() + ("," if value else "")
    write_stamped_text(path, f'{content}\n "{STAMP}": "', '"\n}\n')


def _json(value: Any, sort_keys: bool = True) -> str:
    return json_text(value, indent=1, sort_keys=sort_keys, ensure_ascii=False)


def json_text(value: Any, **style: Any) -> str:
    """Return JSON; a number that is not finite, which JSON cannot say, becomes null.

    Args:
        value: what `json.dumps` takes.
        style: how it is written, as for `json.dumps`.
    """
    try:
        return json.dumps(value, allow_nan=False, **style)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False, **style)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def read_json(path: Path | str) -> dict[str, Any]:
    """Read what `write_json` wrote.

    Raises:
        LatentmapError: the file is missing or not what was written.
    """
    text = read_stamped_text(path)
    with reading(path, "a JSON object"):
        value: dict[str, Any] = json.loads(text)
        del value[STAMP]
    return value


def read_plain_json(path: Path | str) -> Any:
    """Read a JSON file that others wrote.

    Raises:
        LatentmapError: it is no JSON.
    """
    try:
        return json.loads(Path(path).read_bytes())
    except (ValueError, RecursionError) as error:
        raise LatentmapError(
            f"{path} is no JSON ({error}). Correct it, or fetch it again."
        ) from None


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
        raise damaged(path, f"is not {what} ({error!r})") from None


def digest(*parts: bytes | str) -> str:
    """Return 16 hexadecimal digits that identify these parts in this order."""
    return digest_framed(framed(*parts))


def framed(*parts: bytes | str) -> bytes:
    """Return parts one after the other, each with its length: what `digest_framed` takes."""
    pieces: list[bytes] = []
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        pieces += (len(data).to_bytes(8, "little"), data)
    return b"".join(pieces)


def digest_framed(parts: bytes) -> str:
    """Return the digest of parts that are framed already: of many rows, some are the same."""
    return hashlib.blake2b(parts, digest_size=8).hexdigest()


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
    memory = KNOWN_DIGESTS.get()
    return _read_digest(path) if memory is None else memory.digest(path, _read_digest)


def _read_digest(path: Path | str) -> str:
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
