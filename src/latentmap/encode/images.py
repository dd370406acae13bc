"""What encoders of images share: the whole picture at one size."""

from __future__ import annotations

import hashlib
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from latentmap.encode.encoder import Encoder, EncoderOptions, Sample, Show
from latentmap.samples.source import Content

Resampling = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]


class PictureOptions(EncoderOptions):
    """Options of every encoder that sees pictures.

    Attributes:
        noise: share of what it sees that is noise, from 0, the picture, to 1, nothing of it. With
            it in steps, one encoder each, what is kept must fall to chance.
    """

    noise: float = Field(0.0, ge=0, le=1)


class ImageOptions(PictureOptions):
    """Options of every encoder of images.

    Attributes:
        size: width and height in pixels at which the encoder sees an image. The whole image is
            stretched to this square: nothing is cropped, and a box keeps its place as fractions
            of width and height.
        resampling: how an image is brought to this size.
    """

    size: int = Field(default=512, ge=8)
    resampling: Resampling = "bicubic"


I_co = TypeVar("I_co", bound=ImageOptions, covariant=True)


class ImageEncoder(Encoder[I_co]):
    """An encoder whose input is the sample's image, (size, size, 3) uint8."""

    Options: type[ImageOptions] = ImageOptions
    needs: Content | None = "images"

    def prepare(self, sample: Sample, show: Show) -> NDArray[np.uint8]:
        """Return the image as it is shown, (size, size, 3) uint8."""
        method = Image.Resampling[self.options.resampling.upper()]
        seen = stretched(show(sample), self.options.size, method)
        return with_noise(seen, self.options.noise, sample["id"])


def stretched(image: Image.Image, size: int, method: Image.Resampling) -> NDArray[np.uint8]:
    """Return the whole RGB image at one square size, (size, size, 3) uint8."""
    return np.asarray(image.resize((size, size), method))


def with_noise(pixels: NDArray[np.uint8], share: float, key: str) -> NDArray[np.uint8]:
    """Return an image of which a share is noise, every value of every pixel as probable.

    Args:
        pixels: (H, W, 3).
        share: from 0 to 1.
        key: what the noise depends on.
    """
    if share == 0:
        return pixels
    seed = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest())
    noise = np.random.default_rng(seed).integers(0, 256, pixels.shape, np.uint8)
    mixed = (1 - share) * pixels.astype(np.float32) + share * noise.astype(np.float32)
    return np.rint(mixed).astype(np.uint8)
