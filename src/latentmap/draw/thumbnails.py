"""Thumbnails: what the reader of a map sees of a sample."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pydantic import Field

from latentmap.config import Options
from latentmap.draw.boxes import DrawOptions, decode, draw_boxes

SCHEMA = pa.schema([pa.field("id", pa.string(), nullable=False), pa.field("jpeg", pa.binary())])

ROWS_AT_ONCE = 64


class ThumbnailOptions(Options):
    """Options of thumbnails.

    Attributes:
        size: longer side in pixels; smaller images keep their size.
        quality: of the JPEG, 1 to 95.
    """

    size: int = Field(default=128, ge=16)
    quality: int = Field(default=80, ge=1, le=95)


def make_thumbnails(samples: pa.Table, options: ThumbnailOptions, draw: DrawOptions) -> pa.Table:
    """Make a small JPEG of every sample, its boxes drawn.

    Args:
        samples: a shard of samples; `id`, `image`, `boxes`, `width` and `height` are used.
        options: size and quality.
        draw: how boxes are drawn.

    Returns:
        id and jpeg, null for a sample without an image, in the order of the samples.
    """
    samples = samples.select(["id", "image", "boxes", "width", "height"])
    batches = [
        pa.RecordBatch.from_pylist(
            [{"id": row["id"], "jpeg": _thumbnail(row, options, draw)} for row in rows.to_pylist()],
            schema=SCHEMA,
        )
        for rows in samples.to_batches(max_chunksize=ROWS_AT_ONCE)
    ]
    return pa.Table.from_batches(batches, schema=SCHEMA)


def _thumbnail(
    sample: Mapping[str, Any], options: ThumbnailOptions, draw: DrawOptions
) -> bytes | None:
    """Shrink first, then draw: lines and labels keep a size that can be read."""
    if sample["image"] is None:
        return None
    image = decode(sample, at_least=2 * options.size)
    # A JPEG may have been decoded at a fraction of its size: boxes scale by the stored size.
    stored = (sample["width"], sample["height"])
    image.thumbnail((options.size, options.size))
    boxes = [
        [value * image.size[axis % 2] / stored[axis % 2] for axis, value in enumerate(box)]
        for box in sample["boxes"] or ()
    ]
    buffer = io.BytesIO()
    # Full chroma: a line one pixel wide keeps its colour.
    draw_boxes(image, boxes, draw).save(buffer, "JPEG", quality=options.quality, subsampling=0)
    return buffer.getvalue()
