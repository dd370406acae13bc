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
from typing import Any

import pyarrow as pa

from latentmap.samples.faults import FaultError
from latentmap.samples.pictures import open_picture
from latentmap.samples.source import FAULT, NO_IMAGE

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
        pa.field("code", pa.string(), nullable=False),
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

DUPLICATE = "duplicate"
"""Code of the rows that are set aside because an earlier row has their id or text."""

OF_SOURCE = "source"
"""Code of the rows that the source itself sets aside, or has a note about."""

Size = tuple[int, int]
Box = list[float]


@dataclass(frozen=True)
class Clean:
    """What cleaning found out about a good sample.

    Attributes:
        size: (width, height) of its image in pixels; null without an image that can be shown.
        boxes: its boxes, repaired.
        repairs: what was repaired, one sentence each.
        notes: what else its owner should know, one sentence each.
    """

    size: Size | None
    boxes: list[Box]
    repairs: list[str]
    notes: list[str]


class Cleaner:
    """Checks samples one by one; an image that several samples share is decoded once.

    Args:
        needs_label: whether a sample without a label is set aside.
    """

    def __init__(self, needs_label: bool = True) -> None:
        self._needs_label = needs_label
        self._seen: dict[bytes, tuple[Size, str | None] | FaultError] = {}

    def clean(self, sample: Mapping[str, Any]) -> Clean:
        """Check one raw sample.

        A sample whose latent is there already needs no image: one that cannot be shown is noted.

        Args:
            sample: a row of what `Source.read` returns.

        Raises:
            FaultError: it must be set aside.
        """
        if sample.get(FAULT) is not None:
            raise FaultError(OF_SOURCE, sample[FAULT], "Correct or remove the row in its source.")
        if _is_blank(sample["id"]):
            raise FaultError("no_id", "no id", "Give every row an id of its own.")
        if self._needs_label and _is_blank(sample["label"]):
            raise FaultError("no_label", "empty label", "Label the row, or check 'columns.label'.")
        has_latent = any(sample.get(row) is not None for row in (LATENT_ROW, CACHE_ROW))
        size, notes = None, []
        try:
            size, note = self._look_at(sample)
            notes = [note] if note else []
        except FaultError as fault:
            if not has_latent:
                raise
            notes = [f"shown without its image: {fault.reason}"]
        if size is None and _is_blank(sample["text"]) and not has_latent:
            raise FaultError(
                "no_content",
                "neither image nor text",
                "Check 'columns.image' and 'columns.text'.",
            )
        boxes, repairs = clean_boxes(sample["boxes"] or [], size)
        return Clean(size, boxes, repairs, notes)

    def _look_at(self, sample: Mapping[str, Any]) -> tuple[Size | None, str | None]:
        """Return the size of a sample's image, and how it is shown where that is not obvious."""
        if sample.get(NO_IMAGE) is not None:
            raise FaultError(**sample[NO_IMAGE])
        data = sample["image"]
        if data is None:
            return None, None
        key = hashlib.blake2b(data, digest_size=16).digest()
        if key not in self._seen:
            try:
                picture = open_picture(data)
                self._seen[key] = picture.image.size, picture.note
            except FaultError as fault:
                self._seen[key] = fault
        found = self._seen[key]
        if isinstance(found, FaultError):
            raise found
        return found


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
                "bad_box",
                f"box {number} is not four finite numbers",
                "Give x0, y0, x1, y1 in pixels.",
            )
        ordered = _order(box)
        if _is_flat(ordered):
            raise FaultError(
                "flat_box", f"box {number} {_show(box)} has zero area", "Correct the box."
            )
        if ordered != box:
            repairs.append(f"box {number} {_show(box)} has inverted corners: swapped")
        inside = ordered if size is None else _clip(ordered, size)
        if _is_flat(inside):
            raise FaultError(
                "outside_box",
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
