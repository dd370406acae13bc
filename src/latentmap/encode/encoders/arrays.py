"""An array that has a row for each sample, feature maps or vectors: an .npy file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from latentmap.config import UserPath
from latentmap.encode.encoder import Encoder, EncoderOptions, Sample, Show
from latentmap.errors import LatentmapError
from latentmap.samples.clean import CACHE_ROW
from latentmap.samples.source import Content
from latentmap.store.files import digest_file


class ArraysOptions(EncoderOptions):
    """Options of an array.

    Attributes:
        input: the `.npy` file, (N, C, H, W) or (N, D), with a row for each of the table's samples.
        batch_size: samples taken at once.
        precision: number format of the stored latents.
    """

    input: UserPath | None = None
    batch_size: int = 64
    precision: Literal["float16", "float32"] = "float32"


class Arrays(Encoder[ArraysOptions]):
    """Takes rows of an array that is mapped into memory; samples come from the source `arrays`."""

    Options: type[ArraysOptions] = ArraysOptions
    needs: Content | None = "latents"
    is_cache = True

    @property
    def rank(self) -> Literal["map", "vector"]:
        """Whether the array has feature maps (C, H, W) or vectors (D,)."""
        return "map" if self._array().ndim == 4 else "vector"

    def revision(self) -> str:
        """Return a digest of the file."""
        self._array()
        return digest_file(self._path)

    def check(self) -> None:
        """Look at the array's header; see `Encoder.check`."""
        self._array()

    def shape(self) -> tuple[int, ...] | None:
        """Return the shape (C, H, W) of feature maps; see `Encoder.shape`."""
        shape = self._array().shape[1:]
        return shape if len(shape) == 3 else None

    def load(self) -> None:
        """Open the array."""
        self._values = self._array()

    def prepare(self, sample: Sample, show: Show) -> NDArray[Any]:
        """Return the sample's row of the array.

        Raises:
            LatentmapError: it has none.
        """
        row = sample.get(CACHE_ROW)
        if row is None or row >= len(self._values):
            raise LatentmapError(
                f"Sample '{sample['id']}' has no row in {self._path}: its table and the array must "
                "have the same rows, and the source must be 'arrays'."
            )
        return self._values[row]

    def encode(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """Return the rows, (n, C, H, W) or (n, D)."""
        return np.stack(batch).astype(np.float32, copy=False)

    def _array(self) -> NDArray[Any]:
        """Map the array into memory.

        Raises:
            LatentmapError: there is none, or it has another shape.
        """
        try:
            values: NDArray[Any] = np.load(self._path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise LatentmapError(
                f"{self._path} is no .npy file that can be read ({reason})."
            ) from None
        if values.ndim not in (2, 4) or 0 in values.shape or values.dtype.kind not in "biuf":
            raise LatentmapError(
                f"{self._path} holds {values.dtype} {values.shape}; numbers (N, C, H, W) or (N, D) "
                "are needed."
            )
        return values

    @property
    def _path(self) -> str:
        if self.options.input is None:
            raise LatentmapError("The encoder 'arrays' needs 'input': the path of an .npy file.")
        return self.options.input
