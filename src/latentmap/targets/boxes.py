"""Boxes of samples as fractions of their pictures, for the targets that are derived from them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.targets.derivation import column_there

Numbers = NDArray[np.float64]

COLUMNS = ("boxes", "width", "height")


def columns_of_boxes(there: Collection[str]) -> tuple[str, ...]:
    """Return the columns that tell where boxes are.

    Raises:
        LatentmapError: one of them is not there.
    """
    return tuple(column_there(name, there) for name in COLUMNS)


def counted(samples: pa.Table) -> list[int | None]:
    """Return how many boxes each sample has, (N,); null where it has no picture."""
    return [
        None if width is None else len(boxes or ())
        for boxes, width in zip(
            samples["boxes"].to_pylist(), samples["width"].to_pylist(), strict=True
        )
    ]


def fractions(samples: pa.Table, count: int) -> Numbers:
    """Return the first boxes of samples as fractions of their pictures.

    Args:
        samples: (N) with `COLUMNS`; boxes are corners in pixels.
        count: of boxes.

    Returns:
        (N, count, 4) corners x0, y0, x1, y1 in [0, 1]; NaN of a sample with fewer boxes, or without
        a picture whose size is known.
    """
    found = np.full((len(samples), count, 4), np.nan)
    columns = (samples[name].to_pylist() for name in COLUMNS)
    for row, (boxes, width, height) in enumerate(zip(*columns, strict=True)):
        if width and height and len(boxes or ()) >= count:
            found[row] = np.divide(boxes[:count], (width, height, width, height))
    return found


def centres(boxes: Numbers) -> Numbers:
    """Return the middle of boxes (…, 4) as x and y, (…, 2)."""
    return (boxes[..., :2] + boxes[..., 2:]) / 2


def sizes(boxes: Numbers) -> Numbers:
    """Return width and height of boxes (…, 4), (…, 2)."""
    return boxes[..., 2:] - boxes[..., :2]


def known(values: Numbers) -> list[float | None]:
    """Return numbers as plain ones, null where they are NaN."""
    return [None if np.isnan(value) else value for value in values.tolist()]
