"""Cleaning: what is wrong with a sample, and what becomes of it.

What can be repaired with certainty is repaired; all else that is wrong sets the sample aside, with
the reason and the remedy. Nothing stops a run.

Boxes are pixels of the image as it is stored: an EXIF orientation is not applied, neither here nor
where the image is drawn and encoded.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pyarrow as pa
from PIL import Image, ImageFile, UnidentifiedImageError

from latentmap.samples.source import FAULT

# A remark on a whole source has no row, and counts more than one; see `Remark`.
QUARANTINE_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("file", pa.string(), nullable=False),
        pa.field("row", pa.int64()),
        pa.field("id", pa.string()),
        pa.field("digest", pa.string(), nullable=False),
        pa.field("action", pa.string(), nullable=False),
        pa.field("count", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("remedy", pa.string(), nullable=False),
    ]
)

LATENT_ROW = "npz_row"
"""Extra column of samples whose latents are there already: their row in the source's file."""

CACHE = "cache"
"""Extra column of samples that come from a cache of embeddings: its folder."""

CACHE_ROW = "cache_row"
"""The same: their row in it."""

ORIGINS = frozenset({LATENT_ROW, CACHE, CACHE_ROW})
"""Extra columns that lead to latents: only a source that has latents may write them."""

DUPLICATE_REMEDY = (
    "Remove the row; if it is meant, give it an id of its own or switch 'deduplicate' off."
)
"""Remedy of every row that is set aside as a duplicate, which tells it from other rows."""

Size = tuple[int, int]
Box = list[float]


class FaultError(Exception):
    """Why a sample is set aside.

    Attributes:
        reason: what is wrong.
        remedy: what the owner of the data can do.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True)
class Clean:
    """What cleaning found out about a good sample.

    Attributes:
        size: (width, height) of its image in pixels; null without an image.
        boxes: its boxes, repaired.
        repairs: what was repaired, one sentence each.
    """

    size: Size | None
    boxes: list[Box]
    repairs: list[str]


class Cleaner:
    """Checks samples one by one; an image that several samples share is decoded once.

    Args:
        needs_label: whether a sample without a label is set aside.
    """

    def __init__(self, needs_label: bool = True) -> None:
        self._needs_label = needs_label
        self._sizes: dict[bytes, Size | FaultError] = {}

    def clean(self, sample: Mapping[str, Any]) -> Clean:
        """Check one raw sample.

        Args:
            sample: a row of what `Source.read` returns.

        Raises:
            FaultError: it must be set aside.
        """
        if sample.get(FAULT) is not None:
            raise FaultError(sample[FAULT], "Correct or remove the row in its source.")
        if _is_blank(sample["id"]):
            raise FaultError("no id", "Give every row an id of its own.")
        if self._needs_label and _is_blank(sample["label"]):
            raise FaultError("empty label", "Label the row, or check 'columns.label'.")
        has_latent = any(sample.get(row) is not None for row in (LATENT_ROW, CACHE_ROW))
        if sample["image"] is None and _is_blank(sample["text"]) and not has_latent:
            raise FaultError("neither image nor text", "Check 'columns.image' and 'columns.text'.")
        size = None if sample["image"] is None else self._size(sample["image"])
        boxes, repairs = clean_boxes(sample["boxes"] or [], size)
        return Clean(size, boxes, repairs)

    def _size(self, data: bytes) -> Size:
        key = hashlib.blake2b(data, digest_size=16).digest()
        if key not in self._sizes:
            try:
                self._sizes[key] = image_size(data)
            except FaultError as fault:
                self._sizes[key] = fault
        found = self._sizes[key]
        if isinstance(found, FaultError):
            raise found
        return found


def image_size(data: bytes) -> Size:
    """Decode an image in full and return its (width, height) in pixels, as stored.

    Raises:
        FaultError: it is missing, damaged, truncated, or too large to be a picture.
    """
    if not data:
        raise FaultError(
            "image is missing, or outside the image folder",
            "Put the file where the row says, or set the image folder.",
        )
    # The switch is global and other packages turn it on: half a picture would pass for a whole one.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(BytesIO(data)) as image:
            image.load()
            return image.size
    except Image.DecompressionBombError:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise FaultError(
            f"image has more than {limit} pixels", "Scale it down, boxes included."
        ) from None
    except Exception as error:  # damaged files make decoders raise errors of every kind
        cause = "unknown format" if isinstance(error, UnidentifiedImageError) else str(error)
        reason = f"image cannot be decoded ({' '.join(cause.split()) or type(error).__name__})"
        raise FaultError(reason, "Replace the file by a whole one.") from None


def clean_boxes(boxes: Sequence[Box | None], size: Size | None) -> tuple[list[Box], list[str]]:
    """Swap inverted corners and clip boxes to the image.

    Args:
        boxes: (x0, y0, x1, y1) in pixels; null where there is something that is no box.
        size: (width, height) of the image; nothing is clipped without.

    Returns:
        The boxes, and one sentence for each repair.

    Raises:
        FaultError: a box is not four finite numbers, has zero area, or lies outside the image.
    """
    cleaned, repairs = [], []
    for number, box in enumerate(boxes):
        if box is None or not all(side is not None and math.isfinite(side) for side in box):
            raise FaultError(
                f"box {number} is not four finite numbers", "Give x0, y0, x1, y1 in pixels."
            )
        ordered = _order(box)
        if _is_flat(ordered):
            raise FaultError(f"box {number} {_show(box)} has zero area", "Correct the box.")
        if ordered != box:
            repairs.append(f"box {number} {_show(box)} has inverted corners: swapped")
        inside = ordered if size is None else _clip(ordered, size)
        if _is_flat(inside):
            raise FaultError(
                f"box {number} {_show(box)} lies outside the {_pixels(size)} image",
                "Correct the box; it is in pixels of the image as stored.",
            )
        if inside != ordered:
            repairs.append(
                f"box {number} {_show(box)} reaches outside the {_pixels(size)} image: clipped"
            )
        cleaned.append(inside)
    return cleaned, repairs


def _is_blank(text: str | None) -> bool:
    return text is None or not text.strip()


def _order(box: Box) -> Box:
    x0, y0, x1, y1 = box
    return [min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)]


def _clip(box: Box, size: Size) -> Box:
    limits = (*size, *size)
    return [min(max(side, 0.0), float(limit)) for side, limit in zip(box, limits, strict=True)]


def _is_flat(box: Box) -> bool:
    x0, y0, x1, y1 = box
    return x0 >= x1 or y0 >= y1


def _show(box: Box) -> str:
    return f"({', '.join(f'{side:g}' for side in box)})"


def _pixels(size: Size | None) -> str:
    return "x".join(map(str, size or ()))
