"""Cleaning: what is wrong with a sample, and what becomes of it.

What can be repaired with certainty is repaired; all else that is wrong sets the sample aside, with
the reason and the remedy. Nothing stops a run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from latentmap.samples.boxes import CORNERS_IN_PIXELS, Box, BoxFormat, Size, clean_boxes
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
        boxes: how boxes are given.
    """

    def __init__(self, needs_label: bool = True, boxes: BoxFormat = CORNERS_IN_PIXELS) -> None:
        self._boxes = boxes
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
            remedy = "Label the row, or check 'columns.label', which is null for unlabelled data."
            raise FaultError("no_label", "empty label", remedy)
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
        unscaled = size is None and self._boxes.unit == "fractions"
        given = [] if unscaled and has_latent else sample["boxes"] or []
        boxes, repairs = clean_boxes(given, size, self._boxes)
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


def _is_blank(text: str | None) -> bool:
    return text is None or not text.strip()
