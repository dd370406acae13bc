"""Arrays as NumPy saves them, whose headers and archives are believed only as far as they go."""

from __future__ import annotations

import lzma
import math
import struct
import zipfile
import zlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

LONGEST_HEADER = 10_000
"""Bytes that a header may have; NumPy itself parses none that is longer."""

BYTES_AT_ONCE = 2**20

UNREADABLE = (
    *(OSError, EOFError, KeyError, ValueError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
)
"""What a damaged archive, or a file of another kind, makes its reader raise."""

DIRECTORY_END = struct.Struct("<10sH10x")
"""What a zip file ends with, but for its comment: among others how many members it has."""

READERS = {
    (1, 0): (2, np.lib.format.read_array_header_1_0),
    (2, 0): (4, np.lib.format.read_array_header_2_0),
}
"""By format: the bytes of a header's length, and what parses the header with its length."""

LARGEST_GROWTH, HARMLESS = 250, 2**28
"""A packed file may grow by this factor when it is unpacked, and to this many bytes anyway."""


class ArrayRows:
    """Rows of an array of numbers in an `.npz` file, compressed or not, read without pickle.

    Rows in the order of the file are read in one pass, any other order is correct and slower. The
    array is not held whole, unless it is stored column by column, which scatters every row.

    Args:
        archive: the file; it stays open for as long as rows are read.
        name: of the array.

    Attributes:
        shape: (N, ...) of the array.
        dtype: of its values.

    Raises:
        KeyError: there is no such array.
        ValueError: it is none of numbers, or has not as many values as it says.
    """

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._stream = archive.open(f"{name}.npy")
        size = archive.getinfo(f"{name}.npy").file_size
        self.shape, self._by_column, self.dtype = read_array_header(self._stream, size)
        if self.dtype.kind not in "biuf" or not self.shape:
            raise ValueError(f"'{name}' is {self.dtype} {self.shape}")
        self._start = self._stream.tell()
        self._bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
        self._whole: NDArray[Any] | None = None

    def check(self) -> None:
        """Read the array to its end, where the archive has its checksum.

        Raises:
            UNREADABLE: it is damaged.
        """
        self._stream.seek(0)
        while self._stream.read(BYTES_AT_ONCE):
            pass

    def read(self, wanted: Sequence[int]) -> NDArray[Any]:
        """Read these rows in this order, (n, ...).

        Raises:
            UNREADABLE: it is damaged.
        """
        if self._by_column:
            return self._read_whole()[list(wanted)]
        values = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        for position in np.argsort(wanted, kind="stable"):
            self._stream.seek(self._start + wanted[position] * self._bytes)
            row = np.frombuffer(self._stream.read(self._bytes), self.dtype)
            values[position] = row.reshape(self.shape[1:])
        return values

    def _read_whole(self) -> NDArray[Any]:
        if self._whole is None:
            self._stream.seek(self._start)
            values = np.frombuffer(self._stream.read(), self.dtype)
            self._whole = values.reshape(self.shape, order="F")
        return self._whole


def is_archive(path: Path | str) -> bool:
    """Whether a file is a zip archive with a directory that can be read."""
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:
        return False


def open_archive(path: Path | str) -> zipfile.ZipFile:
    """Open a zip file, all of whose members must be in its directory.

    Raises:
        UNREADABLE: it is damaged, or none.
    """
    archive = zipfile.ZipFile(path)
    with Path(path).open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - DIRECTORY_END.size - 2**16))
        end = file.read()
    # A damaged length of a name hides the members after it, and zipfile counts none.
    _, members = DIRECTORY_END.unpack_from(end, end.rindex(b"PK\5\6"))
    if members not in (len(archive.infolist()), 2**16 - 1):
        raise ValueError(f"{len(archive.infolist())} of {members} parts are in its directory")
    return archive


def check_archive(path: Path | str) -> None:
    """Check all members of a zip file against their checksums, if it was written with any.

    Raises:
        UNREADABLE: it is damaged.
    """
    with open_archive(path) as archive:
        if any(member.CRC for member in archive.infolist()):
            damaged = archive.testzip()
            if damaged is not None:
                raise ValueError(f"its part '{damaged}' is not what was written")


def check_growth(path: Path | str) -> None:
    """Check that no member of a zip file would fill the memory.

    Raises:
        UNREADABLE: one would, or the file is damaged.
    """
    with open_archive(path) as archive:
        for member in archive.infolist():
            _check_growth(member)


def _check_growth(member: zipfile.ZipInfo) -> None:
    if member.file_size > max(HARMLESS, LARGEST_GROWTH * member.compress_size):
        raise ValueError(f"'{member.filename}' would grow to {member.file_size:,} bytes")


def read_text(archive: zipfile.ZipFile, name: str) -> str:
    """Read an array of one text, in Unicode or UTF-8, from an `.npz` file.

    Raises:
        UNREADABLE: it is missing, damaged, something else, or would fill the memory.
    """
    member = archive.getinfo(f"{name}.npy")
    _check_growth(member)
    with archive.open(member) as stream:
        shape, _, dtype = read_array_header(stream, member.file_size)
        if dtype.kind not in "SU" or math.prod(shape) != 1:
            raise ValueError(f"'{name}' is not one text but {dtype} {shape}")
        text: str | bytes = np.frombuffer(stream.read(), dtype)[0].item()
    return text.decode() if isinstance(text, bytes) else text


def read_array_header(stream: IO[bytes], size: int) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of a saved array; the stream stands at its first value then.

    Args:
        stream: at the beginning of the array.
        size: bytes of the array with its header.

    Returns:
        Its shape, whether it is stored column by column, and the type of its values.

    Raises:
        ValueError: there is no array, in format 1.0 or 2.0, of as many values as there are bytes.
    """
    version = np.lib.format.read_magic(stream)
    if version not in READERS:
        raise ValueError(f"an array in format {version}")
    width, read = READERS[version]
    prefix = stream.read(width)
    length = int.from_bytes(prefix, "little")
    if length > LONGEST_HEADER:
        raise ValueError(f"an array with a header of {length:,} bytes")
    shape, by_column, dtype = read(BytesIO(prefix + stream.read(length)))
    said, held = math.prod(shape) * dtype.itemsize, size - stream.tell()
    if min(shape, default=0) < 0 or (said != held and not dtype.hasobject):
        raise ValueError(f"{said:,} bytes of an array {shape} are announced, {held:,} are there")
    return shape, by_column, dtype


def finite_rows(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which rows of an array (N, ...) have no NaN and no infinity, (N,)."""
    return np.asarray(np.isfinite(values.reshape(len(values), -1)).all(axis=1))
