"""Shards of samples: what every sample has, and how to read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.store.tables import read_arrow

BOXES = pa.list_(pa.list_(pa.float64(), 4))

# Extra columns of the source follow these. A sample has both label and label group, or neither.
# Boxes are pixels (x0, y0, x1, y1) of the image as it came; an image is the bytes as they came,
# null for a text; width and height are the decoded size.
SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("label", pa.string()),
        pa.field("label_group", pa.string()),
        pa.field("source_group", pa.string(), nullable=False),
        pa.field("text", pa.string()),
        pa.field("boxes", BOXES),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("image", pa.large_binary()),
        pa.field("digest", pa.string(), nullable=False),
    ]
)


def read_samples(paths: Iterable[Path | str], columns: Sequence[str]) -> pa.Table:
    """Read columns of several shards as one table, in the order of the paths."""
    return pa.concat_tables([read_arrow(path, columns) for path in paths])


def evenly_spaced(count: int, most: int) -> NDArray[np.intp]:
    """Return the row numbers of at most `most` of `count` samples, evenly spaced; all if few.

    What is computed for some samples only and what a page shows are the same samples.
    """
    shown = min(count, most)
    return np.arange(shown) * count // max(shown, 1)
