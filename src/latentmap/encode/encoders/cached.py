"""Latents that were computed before: rows of the `latents` array of an .npz cache."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Sequence
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from latentmap.config import UserPath
from latentmap.encode.encoder import Encoder, EncoderOptions, Sample, Show
from latentmap.errors import LatentmapError
from latentmap.store.arrays import read_array_header
from latentmap.store.files import digest_file

MEMBER = "latents.npy"
UNREADABLE = (OSError, KeyError, ValueError, zipfile.BadZipFile)


class CachedOptions(EncoderOptions):
    """Options of cached latents.

    Attributes:
        input: the .npz file; the run's own `input` by default.
        precision: number format of the stored latents; that of most caches by default.
    """

    input: UserPath | None = None
    precision: Literal["float16", "float32"] = "float32"


class Cached(Encoder[CachedOptions]):
    """Takes latents (N, C, H, W) from a cache; a sample's `npz_row` column says which row is its.

    The array is read as a stream, without pickle, and never held whole: samples in the order of
    the cache are read in one pass, any other order is correct and slower.
    """

    Options: type[CachedOptions] = CachedOptions
    rank: Literal["map", "vector"] = "map"
    is_cache = True

    def revision(self) -> str:
        """Return a digest of the file.

        Raises:
            LatentmapError: there is no such file.
        """
        try:
            return digest_file(self._path)
        except OSError as error:
            raise LatentmapError(
                f"{self._path}: {error.strerror}. Check the 'input' of the encoder 'cached'."
            ) from None

    def shape(self) -> tuple[int, ...] | None:
        """Return the shape that the array's header says, if it can be read."""
        try:
            return self._opened().shape
        except UNREADABLE:
            return None

    def load(self) -> None:
        """Open the array.

        Raises:
            LatentmapError: the file is no .npz with a numeric (N, C, H, W) array `latents`.
        """
        try:
            self._rows = self._opened()
        except UNREADABLE as error:
            raise LatentmapError(
                f"{self._path} holds no readable latents ({error}); it must be an .npz file with a "
                "numeric array 'latents' of shape (N, C, H, W)."
            ) from None

    def prepare(self, sample: Sample, show: Show) -> NDArray[np.int64]:
        """Return the sample's row in the cache, ()."""
        row = sample.get("npz_row")
        if row is None:
            raise LatentmapError(
                f"Sample '{sample['id']}' has no npz_row: cached latents need the source 'npz'."
            )
        return np.array(row, np.int64)

    def encode(self, batch: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
        """Read the rows, (n, C, H, W) float32."""
        wanted = [int(row) for row in batch]
        if max(wanted) >= self._rows.count or min(wanted) < 0:
            raise LatentmapError(
                f"{self._path} has {self._rows.count} latents and no row {max(wanted)}; "
                "make the samples again from this file."
            )
        try:
            return self._rows.read(wanted)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise LatentmapError(
                f"{self._path} is damaged ({error}); fetch or make it again."
            ) from None

    def _opened(self) -> _Rows:
        return _Rows(zipfile.ZipFile(self._path))

    @property
    def _path(self) -> str:
        if self.options.input is None:
            raise LatentmapError("The encoder 'cached' needs 'input': the path of an .npz file.")
        return self.options.input


class _Rows:
    """Rows of an array in a zip file, compressed or not, read where the stream stands."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._stream: IO[bytes] = archive.open(MEMBER)
        shape, by_column, self._dtype = read_array_header(self._stream)
        if len(shape) != 4 or 0 in shape[1:] or by_column or self._dtype.kind != "f":
            raise ValueError(f"'latents' is {self._dtype} {shape}")
        self.count, self.shape = shape[0], shape[1:]
        self._start = self._stream.tell()
        self._bytes = math.prod(self.shape) * self._dtype.itemsize

    def read(self, wanted: Sequence[int]) -> NDArray[np.float32]:
        values = np.empty((len(wanted), *self.shape), np.float32)
        for position in np.argsort(wanted, kind="stable"):
            values[position] = self._read(wanted[position])
        return values

    def _read(self, row: int) -> NDArray[Any]:
        self._stream.seek(self._start + row * self._bytes)
        data = self._stream.read(self._bytes)
        return np.frombuffer(data, self._dtype).reshape(self.shape)
