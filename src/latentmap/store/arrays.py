"""Arrays as NumPy saves them."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray


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
        ValueError: it is none of numbers.
    """

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._stream = archive.open(f"{name}.npy")
        self.shape, self._by_column, self.dtype = read_array_header(self._stream)
        if self.dtype.kind not in "biuf" or not self.shape:
            raise ValueError(f"'{name}' is {self.dtype} {self.shape}")
        self._start = self._stream.tell()
        self._bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
        self._whole: NDArray[Any] | None = None

    def read(self, wanted: Sequence[int]) -> NDArray[Any]:
        """Read these rows in this order, (n, ...).

        Raises:
            OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error: it is damaged.
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


def read_array_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of a saved array; the stream stands at its first value then.

    Returns:
        Its shape, whether it is stored column by column, and the type of its values.

    Raises:
        ValueError: there is no array of numbers, which NumPy saves in format 1.0 or 2.0.
    """
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(stream)
    raise ValueError(f"an array in format {version}")


def finite_rows(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which rows of an array (N, ...) have no NaN and no infinity, (N,)."""
    return np.asarray(np.isfinite(values.reshape(len(values), -1)).all(axis=1))
