"""Arrow and Parquet files whose bytes are checked before they are used.

Both formats end with a footer, and allow bytes of any kind between it and the data. Our stamp is
there, so that every other tool reads our files as it reads any. It has a checksum of the footer
and one of every block of the data: who reads one column need not read all others to check it.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import IO, NamedTuple
from zlib import crc32

import pyarrow as pa

from latentmap.store.stamp import NO_STAMP, VERSION, check_place, damaged, place_of, unreadable

BLOCK = 2**18
"""Bytes that one checksum covers: a small column beside a wide one costs little to check."""

MAGICS = {b"ARROW1": "Arrow", b"PAR1": "Parquet"}
"""What a file ends with, after its footer and the four bytes of the footer's length."""

MARK = b"latentmap-stamp\n"
END = struct.Struct(f"<II{len(MARK)}s")
"""What a stamp ends with, after its text: length and checksum of the text, and the mark."""


class _Stamp(NamedTuple):
    """The text of a stamp.

    Attributes:
        version: of our formats.
        place: of the file in its run.
        start: where the stamp starts, after all data.
        block: bytes of data that each checksum covers.
        blocks: the checksums of the data.
        footer: the checksum of the footer.
    """

    version: int
    place: str
    start: int
    block: int
    blocks: list[int]
    footer: int


def stamp_table(file: IO[bytes], path: Path | str) -> None:
    """Put a stamp into an Arrow or Parquet file.

    Args:
        file: open for reading and writing.
        path: where it will be.
    """
    size = file.seek(0, 2)
    file.seek(-max(4 + len(magic) for magic in MAGICS), 2)
    start = size - _footer_size(file.read())
    file.seek(0)
    blocks = [crc32(file.read(min(BLOCK, start - at))) for at in range(0, start, BLOCK)]
    footer = file.read()
    stamp = _Stamp(VERSION, place_of(path), start, BLOCK, blocks, crc32(footer))
    text = json.dumps(stamp._asdict()).encode()
    # Arrow aligns every part of a file to eight bytes.
    text += b" " * (-(len(text) + END.size) % 8)
    file.seek(start)
    file.write(text + END.pack(len(text), crc32(text), MARK) + footer)


def _footer_size(end: bytes) -> int:
    """Return the size of a footer with its length and its magic, given the end of its file."""
    magic = next(magic for magic in MAGICS if end.endswith(magic))
    return int.from_bytes(end[: -len(magic)][-4:], "little") + 4 + len(magic)


class CheckedFile:
    """An Arrow or Parquet file of ours, mapped into memory.

    Stamp and footer are checked when it is opened; data must be, by `check`, before they are used.

    Attributes:
        content: all bytes of the file.

    Args:
        path: the file.
        magic: what it must end with.

    Raises:
        LatentmapError: the file is missing or of another kind, its stamp or its footer is damaged,
            or it is of another place or version.
    """

    def __init__(self, path: Path | str, magic: bytes) -> None:
        self._path = path
        self.content = _mapped(path)
        self._bytes = memoryview(self.content)
        end = bytes(self._bytes[-10:])
        if not end.endswith(magic):
            kind = MAGICS[magic]
            raise damaged(path, f"is not a complete {kind} file: its end is missing or damaged")
        footer = max(0, len(self._bytes) - _footer_size(end))
        self._stamp = self._read(footer)
        if crc32(self._bytes[footer:]) != self._stamp.footer:
            raise damaged(path, "is damaged: its footer is not what was written")
        self._checked = [False] * len(self._stamp.blocks)

    def _read(self, footer: int) -> _Stamp:
        """Read the stamp that ends where the footer starts."""
        end = footer - END.size
        if end < 0:
            raise damaged(self._path, NO_STAMP)
        size, checksum, mark = END.unpack(self._bytes[end:footer])
        if mark != MARK:
            raise damaged(self._path, NO_STAMP)
        text = bytes(self._bytes[max(0, end - size) : end])
        if crc32(text) != checksum:
            raise damaged(self._path, "is damaged: its checksums are not what was written")
        told = json.loads(text)
        check_place(self._path, told["version"], told["place"])
        return _Stamp(**told)

    def check(self, start: int = 0, stop: int | None = None) -> None:
        """Check the bytes from `start` to `stop`; all data by default.

        Raises:
            LatentmapError: they are not what was written.
        """
        size, most = self._stamp.block, self._stamp.start
        stop = most if stop is None else min(stop, most)
        for block in range(start // size, -(-stop // size)):
            if not self._checked[block]:
                first, last = block * size, min((block + 1) * size, most)
                if crc32(self._bytes[first:last]) != self._stamp.blocks[block]:
                    where = f"bytes {first} to {last} are not what was written"
                    raise damaged(self._path, f"is damaged: {where}")
                self._checked[block] = True

    def check_buffer(self, buffer: pa.Buffer) -> None:
        """Check the bytes that a view of the content shows."""
        start = buffer.address - self.content.address
        self.check(start, start + buffer.size)


def _mapped(path: Path | str) -> pa.Buffer:
    try:
        if not Path(path).stat().st_size:
            raise damaged(path, "is empty")
        return pa.memory_map(str(path)).read_buffer()
    except OSError as error:
        raise unreadable(path, error) from None
