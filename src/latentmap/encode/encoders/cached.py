"""Latents that were computed before: rows of the `latents` array of an .npz cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentmap.config import UserPath
from latentmap.encode.encoder import Encoder, EncoderOptions, Sample, Show
from latentmap.errors import LatentmapError
from latentmap.samples.remarks import NOTED, Remark
from latentmap.samples.source import Content
from latentmap.store.arrays import UNREADABLE, ArrayRows, open_archive
from latentmap.store.files import digest_file
from latentmap.store.latents import channels_seem_last


class CachedOptions(EncoderOptions):
    """Options of cached latents.

    Attributes:
        input: the .npz file; the run's own `input` by default.
        layout: order of the axes in the file: `nchw` (channels first) or `nhwc` (channels last).
        precision: number format of the stored latents; that of most caches by default.
    """

    input: UserPath | None = None
    layout: Literal["nchw", "nhwc"] = "nchw"
    precision: Literal["float16", "float32"] = "float32"


class Cached(Encoder[CachedOptions]):
    """Takes latents (N, C, H, W) from a cache; a sample's `npz_row` column says which row is its.

    Samples in the order of the cache are read in one pass; see `ArrayRows`.
    """

    Options: type[CachedOptions] = CachedOptions
    needs: Content | None = "latents"
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

    def check(self) -> None:
        """Check what the header of the array says; see `Encoder.check`."""
        if Path(self._path).exists():
            with self._opened():
                pass

    def shape(self) -> tuple[int, ...] | None:
        """Return the shape (C, H, W) that the array's header says, if it can be read."""
        stored = self._stored_shape()
        if len(stored) != 4:
            return None
        _, *axes = stored
        return tuple(axes) if self.options.layout == "nchw" else (axes[2], *axes[:2])

    def remarks(self) -> Sequence[Remark]:
        """Say if the channels seem to come last, though they are read first."""
        stored = self._stored_shape()
        if self.options.layout == "nhwc" or not channels_seem_last(stored):
            return ()
        count, first, second, last = stored
        what = f"latents of shape {stored}"
        reason = (
            f"read as {first} channels of {second} × {last}, not as {last} of {first} × {second}"
        )
        remedy = f"Set 'layout' of the encoder '{self.options.name}' to nhwc if channels are last."
        return (Remark(what, count, reason, remedy, action=NOTED),)

    def load(self) -> None:
        """Open the array, and check it against the checksum that the archive has of it.

        Raises:
            LatentmapError: the file is damaged, or no .npz with a numeric (N, C, H, W) array
                `latents`.
        """
        with self._opened() as rows:
            rows.check()
            self._rows = rows

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
        if max(wanted) >= self._rows.shape[0] or min(wanted) < 0:
            raise LatentmapError(
                f"{self._path} has {self._rows.shape[0]} latents and no row {max(wanted)}; "
                "make the samples again from this file."
            )
        try:
            latents = self._rows.read(wanted).astype(np.float32, copy=False)
        except UNREADABLE as error:
            raise LatentmapError(
                f"{self._path} is damaged ({error}); fetch or make it again."
            ) from None
        return latents if self.options.layout == "nchw" else np.moveaxis(latents, -1, 1)

    @contextmanager
    def _opened(self) -> Iterator[ArrayRows]:
        """Open the array, and say in one line what is wrong with it."""
        try:
            rows = ArrayRows(open_archive(self._path), "latents")
            if len(rows.shape) != 4 or 0 in rows.shape[1:] or rows.dtype.kind != "f":
                raise ValueError(f"'latents' is {rows.dtype} {rows.shape}")
            yield rows
        except UNREADABLE as error:
            raise LatentmapError(
                f"{self._path} holds no readable latents ({error}); it must be an .npz file with a "
                "numeric array 'latents' of shape (N, C, H, W)."
            ) from None

    def _stored_shape(self) -> tuple[int, ...]:
        """Return the shape in the array's header, none of what cannot be read."""
        try:
            with open_archive(self._path) as archive:
                return ArrayRows(archive, "latents").shape
        except UNREADABLE:  # said when it is loaded
            return ()

    @property
    def _path(self) -> str:
        if self.options.input is None:
            raise LatentmapError("The encoder 'cached' needs 'input': the path of an .npz file.")
        return self.options.input
