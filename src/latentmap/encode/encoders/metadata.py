"""Metadata only: box count, areas, positions and image size, what a method gets for free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from latentmap.encode.encoder import Encoder, EncoderOptions, Sample, Show
from latentmap.errors import LatentmapError
from latentmap.samples.source import Content

BOXES = 2

# The vector, in order. Lengths and areas of boxes are fractions of the image's; its own size is in
# thousands of pixels, so that no entry outweighs the others. The first two boxes have entries;
# those of a box that is not there are 0, and box_count tells it from an empty box at the origin.
LAYOUT = (
    "box_count",
    *(
        f"box_{index}_{name}"
        for index in range(BOXES)
        for name in ("center_x", "center_y", "width", "height", "area")
    ),
    "image_width",
    "image_height",
    "image_aspect",
)


class MetadataOptions(EncoderOptions):
    """Options of the metadata.

    Attributes:
        precision: number format of the stored vectors, which are small.
    """

    precision: Literal["float16", "float32"] = "float32"


class Metadata(Encoder[MetadataOptions]):
    """What is known of a sample without looking at its pixels, as `LAYOUT` names it."""

    Options: type[MetadataOptions] = MetadataOptions
    needs: Content | None = "images"
    rank: Literal["map", "vector"] = "vector"
    is_baseline: ClassVar[bool] = True

    def prepare(self, sample: Sample, show: Show) -> NDArray[np.float32]:
        """Return the sample's vector, (14,) float32; its image is not decoded."""
        width, height = sample["width"], sample["height"]
        if not width or not height:
            raise LatentmapError(
                f"Sample '{sample['id']}' has no image, so the metadata encoder has nothing to "
                "encode; choose another encoder."
            )
        boxes = sample["boxes"] or []
        values = [float(len(boxes))]
        for index in range(BOXES):
            values += _geometry(boxes[index], width, height) if index < len(boxes) else [0.0] * 5
        values += [width / 1000, height / 1000, width / height]
        return np.array(values, np.float32)

    def encode(self, batch: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return the prepared vectors, (n, 14)."""
        return np.stack(batch)


def _geometry(box: Sequence[float], width: int, height: int) -> list[float]:
    x0, y0, x1, y1 = box
    across, down = (x1 - x0) / width, (y1 - y0) / height
    return [(x0 + x1) / 2 / width, (y0 + y1) / 2 / height, across, down, across * down]
