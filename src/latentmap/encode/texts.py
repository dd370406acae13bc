"""What encoders of texts share."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from latentmap.encode.encoder import Encoder, EncoderOptions, Sample, Show
from latentmap.errors import LatentmapError
from latentmap.samples.source import Content


class TextOptions(EncoderOptions):
    """Options of every encoder of texts.

    Attributes:
        precision: number format of the stored vectors, which are small.
    """

    precision: Literal["float16", "float32"] = "float32"


T_co = TypeVar("T_co", bound=TextOptions, covariant=True)


class TextEncoder(Encoder[T_co]):
    """An encoder whose input is the sample's text; a latent is a vector."""

    Options: type[TextOptions] = TextOptions
    rank: Literal["map", "vector"] = "vector"
    needs: Content | None = "texts"

    def prepare(self, sample: Sample, show: Show) -> NDArray[Any]:
        """Return the sample's text as one object, ().

        Raises:
            LatentmapError: the sample has no text.
        """
        return np.array(text_of(sample["id"], sample["text"]), dtype=object)


def text_of(sample_id: str, text: str | None) -> str:
    """Return a sample's text.

    Raises:
        LatentmapError: the sample has none.
    """
    if not text:
        raise LatentmapError(
            f"Sample '{sample_id}' has no text; choose another encoder, or map the source's "
            "column 'text'."
        )
    return text
