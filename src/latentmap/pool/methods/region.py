"""Means inside two drawn boxes, their difference, and where the boxes are."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.pool.method import Latents, PoolingMethod, Regions, Shape

WHOLE_IMAGE = (0.0, 0.0, 1.0, 1.0)
# The least extent of a box, as a fraction of the image: a box without area is a point.
POINT = 1e-6


class Region(PoolingMethod):
    """Means inside the first two boxes, the first minus the second, and the boxes' geometry.

    The vector is C means of box 1, C means of box 2, C differences, then centre x, centre y,
    width and height of box 1 and of box 2 as fractions of the image. A position counts by the area
    that a box covers of it, so that a box smaller than a position still has its mean. A box that
    is missing is the whole image; boxes after the second are left out.
    """

    reference: ClassVar[str] = (
        "Girshick 2015, Fast R-CNN (pooling inside a box); "
        "He et al. 2017, Mask R-CNN (boxes are not rounded to positions)"
    )
    needs_regions: ClassVar[bool] = True

    @classmethod
    def account(cls) -> tuple[str, ...]:
        """Return the means in the boxes and their geometry."""
        return ("regions",)

    def tokens(self, shape: Shape) -> int:
        """Return 1."""
        return 1

    def dims(self, shape: Shape) -> int:
        """Return 3·C + 8."""
        return 3 * shape[0] + 8

    def pool(self, latents: Latents, regions: Regions) -> NDArray[np.float32]:
        """Return (n, 3·C + 8) means, differences and geometry."""
        boxes = np.stack([_two_boxes(region) for region in regions])
        rows = _coverage(boxes[:, :, 1], boxes[:, :, 3], latents.shape[2])
        columns = _coverage(boxes[:, :, 0], boxes[:, :, 2], latents.shape[3])
        means = _means(latents, rows, columns)
        first, second = means[:, 0], means[:, 1]
        geometry = np.concatenate([(boxes[..., :2] + boxes[..., 2:]) / 2, _extents(boxes)], axis=-1)
        parts = [first, second, first - second, geometry.reshape(len(latents), -1)]
        return np.concatenate(parts, axis=1, dtype=np.float32)


def _two_boxes(region: NDArray[np.float64]) -> NDArray[np.float64]:
    boxes = np.tile(np.array(WHOLE_IMAGE), (2, 1))
    boxes[: len(region)] = np.clip(region[:2], 0, 1)
    return boxes


def _extents(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return boxes[..., 2:] - boxes[..., :2]


def _coverage(
    starts: NDArray[np.float64], stops: NDArray[np.float64], size: int
) -> NDArray[np.float64]:
    """Return the share of each of `size` cells in the spans [start, stop] of (n, 2): (n, 2, size).

    The shares of one span sum to 1.
    """
    starts = np.minimum(starts, 1 - POINT)[..., None] * size
    stops = np.maximum(stops[..., None] * size, starts + POINT * size)
    cells = np.arange(size)
    covered = np.clip(np.minimum(stops, cells + 1) - np.maximum(starts, cells), 0, None)
    return covered / covered.sum(axis=-1, keepdims=True)


def _means(
    latents: Latents, rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the (n, 2, C) means under the weights rows (n, 2, H) and columns (n, 2, W)."""
    samples, channels, height, width = latents.shape
    wide = latents.reshape(samples, channels * height, width).astype(np.float64)
    narrow = wide @ columns.swapaxes(1, 2)
    narrow = narrow.reshape(samples, channels, height, 2)
    return np.einsum("nchb,nbh->nbc", narrow, rows)
