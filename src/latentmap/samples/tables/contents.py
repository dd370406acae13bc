"""What is in a file that should be a table: unpacked, and told by its first bytes."""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

import pyarrow as pa

from latentmap.errors import LatentmapError
from latentmap.store.arrays import HARMLESS, LARGEST_GROWTH

HEAD = 2**16
"""Bytes at the beginning by which a file is told."""

PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
PACKED_SUFFIXES = (".gz", ".zst", ".zstd")

BYTE_ORDERS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

UNPACK = "Unpack it"
SAVE = "Save it as CSV or Parquet"
FOREIGN = (
    (rb"BZh[1-9]1AY&SY", "bzip2", UNPACK),
    (rb"\xfd7zXZ\x00", "xz", UNPACK),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook or Word document", SAVE),
    (rb"%PDF-", "a PDF document", SAVE),
    (rb"\x89HDF\r\n\x1a\n", "an HDF5 file", SAVE),
    (rb"SQLite format 3\x00", "an SQLite database", SAVE),
    (rb"\x93NUMPY", "a NumPy array", "Read it with the source 'vectors'"),
    (rb"FEA1[^ -~\t]", "a Feather file of version 1", "Save it as Feather 2, which is Arrow"),
    (rb"ORC[^ -~\t]", "an ORC file", "Save it as Parquet"),
    (rb"Obj\x01", "an Avro file", "Save it as Parquet"),
    (rb"PARE[^ -~\t]", "an encrypted Parquet file", "Save it without encryption"),
    (rb"\x89PNG", "a PNG image", "Give a table"),
    (rb"\xff\xd8\xff", "a JPEG image", "Give a table"),
    (rb"\xff\xfe\x00\x00|\x00\x00\xfe\xff", "UTF-32 text", "Save it as UTF-8"),
    (rb"version https://git-lfs", "a Git LFS pointer, not the file itself", "Run 'git lfs pull'"),
    (rb"\s*<(!DOCTYPE|!doctype|html)", "a web page", "Download the file itself"),
    (rb"<\?xml", "XML", SAVE),
)
"""How other files begin, what they are, and what to do with them; letters may begin a text too."""

ZIP = b"PK\x03\x04"
ZIPPED = (
    (b"xl/", "an Excel workbook", SAVE),
    (b"word/", "a Word document", SAVE),
    (b"opendocument.spreadsheet", "an OpenDocument spreadsheet", SAVE),
    (b".npy", "a NumPy .npz file", "Read it with the source 'npz' or 'vectors'"),
)


@dataclass(frozen=True)
class Content:
    """A file, unpacked if it is packed.

    Attributes:
        path: the file.
    """

    path: Path

    @cached_property
    def suffix(self) -> str:
        """Its suffix, without that of a packer: `.csv` of `x.CSV.gz`."""
        path = self.path
        if path.suffix.lower() in PACKED_SUFFIXES:
            path = path.with_suffix("")
        return path.suffix.lower()

    @cached_property
    def packer(self) -> str | None:
        """What it is packed with: `gzip`, `zstd` or nothing."""
        with readable(self.path), self.path.open("rb") as file:
            magic = file.read(4)
        return next((name for start, name in PACKED.items() if magic.startswith(start)), None)

    @cached_property
    def head(self) -> bytes:
        """Its first 64 KiB."""
        with self.open() as stream:
            return stream.read(HEAD)

    @cached_property
    def encoding(self) -> str:
        """The encoding of a text: that of its byte order mark, else UTF-8."""
        marks = (e for mark, e in BYTE_ORDERS.items() if self.head.startswith(mark))
        return next(marks, "utf-8")

    @cached_property
    def lines(self) -> list[str]:
        """Its first lines, if it is text; the last may be cut off."""
        return list(io.StringIO(self.head.decode(self.encoding, "replace"), newline=""))

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open it for reading from the beginning.

        Raises:
            LatentmapError: it cannot be read, is packed and damaged, or grows beyond all measure.
        """
        if self.packer is None:
            with readable(self.path), self.path.open("rb") as file:
                yield file
        else:
            damaged = readable(self.path, f"a damaged {self.packer} file")
            with damaged, _Unpacked(self.path, self.packer) as raw:
                yield io.BufferedReader(raw, HEAD)

    @contextmanager
    def open_text(self) -> Iterator[IO[str]]:
        """Open it as text, with the ends of its lines as they are.

        Raises:
            LatentmapError: it cannot be read, or is in another encoding.
        """
        try:
            with self.open() as stream:
                yield io.TextIOWrapper(stream, self.encoding, newline="")
        except UnicodeDecodeError:
            raise LatentmapError(self._wrong_encoding()) from None

    def whole(self) -> pa.Buffer:
        """Return all bytes, mapped into memory if they are not packed."""
        if self.packer is None:
            with readable(self.path):
                return pa.memory_map(str(self.path)).read_buffer()
        with self.open() as stream:
            return pa.py_buffer(stream.read())

    def refuse_foreign(self) -> None:
        """Fail with one line if the file is known to be something else than a table.

        Raises:
            LatentmapError: says what it is.
        """
        named = [(kind, todo) for start, kind, todo in FOREIGN if re.match(start, self.head)]
        if self.head.startswith(ZIP):
            named += [(kind, todo) for name, kind, todo in ZIPPED if name in self.head]
            named.append(("a ZIP archive", UNPACK))
        if named:
            raise self._refusal(*named[0])

    def refuse_binary(self) -> None:
        """Fail with one line if the file is no text, or text without a mark of its encoding.

        Raises:
            LatentmapError: says which.
        """
        if not self.is_binary:
            return
        few, many = sorted(half.count(0) for half in (self.head[0::2], self.head[1::2]))
        if 10 * few < many and 8 * many > len(self.head):
            raise self._refusal("UTF-16 text without a byte order mark", "Save it as UTF-8")
        raise self._refusal("no text, nor any table that is known here", SAVE)

    @property
    def is_binary(self) -> bool:
        """Whether there are bytes that no text has."""
        return self.encoding != "utf-16" and b"\0" in self.head

    def _refusal(self, kind: str, remedy: str) -> LatentmapError:
        inside = f"{self.packer}, and what it holds is " if self.packer else ""
        return LatentmapError(f"{self.path} is {inside}{kind}. {remedy}.")

    def _wrong_encoding(self) -> str:
        """Say which byte is no UTF-8, and how to convert the file."""
        if self.encoding == "utf-16":
            return f"{self.path} is not the UTF-16 text that it says it is. Save it as UTF-8."
        start = 0
        with self.open() as stream:
            for number, line in enumerate(stream, 1):
                try:
                    line.decode()
                except UnicodeDecodeError as error:
                    name = self.path.name
                    return (
                        f"{self.path} is not UTF-8 text (byte {start + error.start}): "
                        f"0x{line[error.start]:02X} in line {number}. Save it as UTF-8, such as "
                        f"with 'iconv -f WINDOWS-1252 -t UTF-8 {name} > utf8-{name}'."
                    )
                start += len(line)
        return f"{self.path} is not UTF-8 text. Save it as UTF-8."


class _Unpacked(io.RawIOBase):
    """The bytes of a packed file, as long as they are in proportion to it."""

    def __init__(self, path: Path, packer: str) -> None:
        self._path = path
        self._stream = pa.CompressedInputStream(pa.OSFile(str(path)), packer)
        self._left = max(HARMLESS, LARGEST_GROWTH * path.stat().st_size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._stream.read(len(view))
        view[: len(data)] = data
        self._left -= len(data)
        if self._left < 0:
            raise LatentmapError(
                f"{self._path} unpacks to more than {LARGEST_GROWTH} times its size. If that is "
                "right, unpack it, and give the file that comes out."
            )
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


@contextmanager
def readable(path: Path, what: str = "damaged") -> Iterator[None]:
    """Say in one line that a file cannot be read.

    Args:
        path: the file.
        what: it is then.

    Raises:
        LatentmapError: names the file, the reason and the remedy.
    """
    try:
        yield
    except FileNotFoundError:
        raise LatentmapError(f"{path}: no such file.") from None
    except (pa.ArrowException, OSError, EOFError) as error:
        reason = " ".join(str(error).split())
        raise LatentmapError(
            f"{path} is {what} ({reason}). Give another, or fetch it again."
        ) from None


def is_json_object(line: str) -> bool:
    """Whether a line is a JSON object."""
    if not line.lstrip().startswith("{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
