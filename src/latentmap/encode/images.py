"""What encoders of images share: the whole picture at one size."""

from __future__ import annotations

from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from latentmap.encode.encoder import Encoder, EncoderOptions, Sample, Show
from latentmap.samples.source import Content

Resampling = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]


class ImageOptions(EncoderOptions):
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
        return stretched(show(sample), self.options.size, method)


def stretched(image: Image.Image, size: int, method: Image.Resampling) -> NDArray[np.uint8]:
    """Return the whole RGB image at one square size, (size, size, 3) uint8."""
    return np.asarray(image.resize((size, size), method))
