"""Learning-free baseline: 16 lowest 8×8 block-DCT coefficients, in the shape of a VAE latent."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.encode.images import ImageEncoder, ImageOptions

BLOCK = 8

# (row, column) of the frequencies in JPEG's zigzag order (ITU-T T.81, figure 5).
ZIGZAG = ((0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2), (2, 1), (3, 0))

# Channel k of the latent is the frequency (row, column) of Y, Cb or Cr.
CHANNELS = (
    *(("Y", *frequency) for frequency in ZIGZAG),
    *(("Cb", *frequency) for frequency in ZIGZAG[:3]),
    *(("Cr", *frequency) for frequency in ZIGZAG[:3]),
)

# ITU-R BT.601 as in JFIF, without its offset: grey has no chroma.
FROM_RGB = {
    "Y": (0.299, 0.587, 0.114),
    "Cb": (-0.168736, -0.331264, 0.5),
    "Cr": (0.5, -0.418688, -0.081312),
}


class DctOptions(ImageOptions):
    """Options of the block DCT.

    Attributes:
        size: width and height in pixels; a multiple of 8.
    """

    size: int = Field(default=512, ge=BLOCK, multiple_of=BLOCK)


class BlockDct(ImageEncoder[DctOptions]):
    """Orthonormal DCT-II of 8×8 blocks: 10 coefficients of luma, 3 of each chroma.

    Pixels are in [-1, 1], so the first channel is 8 times the mean luma of its block. Reference:
    ITU-T T.81 (JPEG), A.3.3.
    """

    Options: type[DctOptions] = DctOptions
    rank: Literal["map", "vector"] = "map"
    is_baseline: ClassVar[bool] = True

    def shape(self) -> tuple[int, int, int]:
        """Return (16, size / 8, size / 8)."""
        side = self.options.size // BLOCK
        return len(CHANNELS), side, side

    def encode(self, batch: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Encode (size, size, 3) uint8 images: (n, 16, size / 8, size / 8) float32."""
        _, side, _ = self.shape()
        pixels = np.divide(np.stack(batch), 127.5, dtype=np.float32) - 1
        blocks = pixels.reshape(-1, side, BLOCK, side, BLOCK, 3).transpose(0, 1, 3, 2, 4, 5)
        latents = blocks.reshape(-1, side * side, BLOCK * BLOCK * 3) @ self._basis
        return latents.swapaxes(1, 2).reshape(-1, len(CHANNELS), side, side)

    @cached_property
    def _basis(self) -> NDArray[np.float32]:
        """(8 · 8 · 3, 16): the block and colour that every channel is the product with."""
        from scipy.fft import dct

        cosines = dct(np.eye(BLOCK), norm="ortho", axis=0)
        columns = [
            np.einsum("y,x,c->yxc", cosines[row], cosines[column], FROM_RGB[plane]).reshape(-1)
            for plane, row, column in CHANNELS
        ]
        return np.stack(columns, axis=1).astype(np.float32)
