"""Boxes: in which unit and layout a source gives them, and what is wrong with one.

Boxes of a sample are corners in pixels of the image as it is stored: an EXIF orientation is not
applied, neither here nor where the image is drawn and encoded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentmap.config import Options
from latentmap.errors import LatentmapError
from latentmap.samples.faults import FaultError
from latentmap.samples.remarks import NOTED, Remark
from latentmap.store.files import digest

Unit = Literal["pixels", "fractions"]
Layout = Literal["xyxy", "xywh", "cxcywh"]
Size = tuple[int, int]
Box = list[float]

LARGEST_FRACTION = 1.5
"""A box with a larger value is not in fractions of its image, however badly it is placed."""

FEW, MOST = 0.05, 0.95
"""Shares of boxes between which a source has boxes of two kinds."""

INVERTED = 0.1
"""Share of boxes with inverted corners that is taken for mistakes, whatever else they could be."""

SURE = 3
"""Boxes that must contradict a layout before another one is taken, where not all of them do."""

SLACK = 0.02
"""How far a box may reach outside its image, in parts of its sides, and still fit it."""

NOISE = 1e-6
"""The same where it is rounding."""

WORDS = {
    "xyxy": "corners (x0, y0, x1, y1)",
    "xywh": "corner and size (x0, y0, width, height)",
    "cxcywh": "centre and size (x, y, width, height)",
}


class BoxOptions(Options):
    """How a source gives boxes; what is not said is judged over all of them.

    Attributes:
        unit: `pixels`, or `fractions` of the image's width and height.
        layout: `xyxy` (two corners), `xywh` (upper left corner, width, height) or `cxcywh`
            (centre, width, height).
    """

    unit: Unit | None = None
    layout: Layout | None = None


class BoxFormat(NamedTuple):
    """How boxes are given: unit and layout as in `BoxOptions`."""

    unit: Unit = "pixels"
    layout: Layout = "xyxy"

    def __str__(self) -> str:
        unit = "fractions of the image" if self.unit == "fractions" else "pixels"
        return f"{unit}, {WORDS[self.layout]}"

    def digest(self, row: str, has_boxes: bool) -> str:
        """Return the digest of a row whose boxes are so, given that of what it says."""
        return row if self == CORNERS_IN_PIXELS or not has_boxes else digest(row, *self)


CORNERS_IN_PIXELS = BoxFormat()


def box_remarks(given: BoxFormat, rows: int) -> list[Remark]:
    """Say how boxes of so many samples are read, where it is not as corners in pixels."""
    if given == CORNERS_IN_PIXELS:
        return []
    remedy = (
        "Set 'boxes' to {unit: pixels or fractions, layout: xyxy, xywh or cxcywh} if they are not."
    )
    return [Remark("boxes of samples", rows, f"read as {given}", remedy, action=NOTED)]


def all_boxes(boxes: Iterable[Sequence[Box | None] | None]) -> NDArray[np.float64]:
    """Return all boxes of some samples that are four finite numbers, (n, 4)."""
    flat = [box for row in boxes for box in row or () if box is not None and None not in box]
    found = np.array(flat, np.float64).reshape(-1, 4)
    return found[np.isfinite(found).all(axis=1)]


def judge_boxes(
    boxes: NDArray[np.float64],
    given: BoxOptions,
    samples: Callable[[], tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> BoxFormat:
    """Tell how boxes are given from all that a source has.

    Values of fractions are at most one. A layout fits a box that it gives an extent and a place in
    the image. Corners, which are expected, are taken where they fit nearly all boxes; sizes of
    images are asked for only if they do not.

    Args:
        boxes: (n, 4) finite values as they are given.
        given: what the options say, which is not judged.
        samples: gives some boxes (m, 4) and the (width, height) of their images (m, 2), NaN where
            it is unknown.

    Raises:
        LatentmapError: it cannot be told; asks for the option.
    """
    boxes = boxes[(boxes[:, 2:] != 0).any(axis=1)]  # (0, 0, 0, 0) stands for no box
    if not len(boxes):
        return BoxFormat(given.unit or "pixels", given.layout or "xyxy")
    unit = given.unit or _judge_unit(boxes)
    return BoxFormat(unit, given.layout or _judge_layout(boxes, unit, samples))


def _judge_unit(boxes: NDArray[np.float64]) -> Unit:
    votes = boxes[~np.isin(boxes, (0, 1)).all(axis=1)]  # a whole image, or one pixel
    if not len(votes):
        return "fractions"
    share = float((np.abs(votes).max(axis=1) <= LARGEST_FRACTION).mean())
    if FEW < share < MOST:
        raise LatentmapError(
            f"{share:.0%} of the boxes look like fractions of their image, the others like pixels. "
            "Set 'boxes.unit' to 'pixels' or 'fractions': those in the other unit are set aside."
        )
    return "fractions" if share >= MOST else "pixels"


def _judge_layout(
    boxes: NDArray[np.float64],
    unit: Unit,
    samples: Callable[[], tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> Layout:
    contradicting = (boxes[:, 2:] <= boxes[:, :2]).any(axis=1)
    if contradicting.mean() <= INVERTED:
        return "xyxy"
    if unit == "fractions":
        shown, sizes = boxes, np.ones((len(boxes), 2))
    else:
        shown, sizes = samples()
    layouts: tuple[Layout, ...] = ("xywh", "cxcywh", "xyxy")
    misses = {layout: int((~_fits(shown, layout, sizes)).sum()) for layout in layouts}
    best, other = sorted(layouts[:2], key=misses.__getitem__)
    if misses["xyxy"] <= min(misses[best], len(shown) / 2):
        return "xyxy"
    enough = contradicting.sum() >= SURE or contradicting.all()
    if enough and misses[best] <= FEW * len(shown):
        if misses[other] - misses[best] >= SURE:
            return best
        if unit == "pixels" and misses["xywh"] <= FEW * len(shown):
            return "xywh"  # centres are usual in fractions, but not in pixels
    told = ", ".join(f"{misses[layout]} as {layout}" for layout in reversed(layouts))
    raise LatentmapError(
        f"It cannot be told how boxes are given: of {len(shown)} boxes, {told} are flat or outside "
        "their image. Set 'boxes.layout' to 'xyxy' (corners), 'xywh' (corner and size) or 'cxcywh' "
        "(centre and size)."
    )


def _fits(
    boxes: NDArray[np.float64], layout: Layout, sizes: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which boxes (n, 4), read in a layout, have an extent and lie in images (n, 2)."""
    start, end = boxes[:, :2], boxes[:, 2:]
    if layout == "xywh":
        end = start + end
    elif layout == "cxcywh":
        start, end = start - end / 2, start + end / 2
    slack = SLACK * np.nan_to_num(sizes)
    inside = (start >= -slack) & ~(end > sizes + slack)  # true of an image of unknown size
    return np.asarray(((end > start) & inside).all(axis=1))


def clean_boxes(
    boxes: Sequence[Box | None], size: Size | None, given: BoxFormat = CORNERS_IN_PIXELS
) -> tuple[list[Box], list[str]]:
    """Turn boxes into corners in pixels, swap inverted corners and clip to the image.

    Args:
        boxes: four numbers each; null where there is something that is no box.
        size: (width, height) of the image; nothing is clipped without.
        given: their unit and layout.

    Returns:
        The boxes, and one sentence for each repair.

    Raises:
        FaultError: a box is not four finite numbers, not in the unit of the others, has zero area,
            or lies outside the image.
    """
    cleaned, repairs = [], []
    for number, box in enumerate(boxes):
        if box is None or not all(side is not None and math.isfinite(side) for side in box):
            raise FaultError(
                "bad_box", f"box {number} is not four finite numbers", f"Give {given}."
            )
        name = f"box {number} {_show(box)}"
        corners = _corners(name, box, size, given)
        ordered = _order(corners)
        if _is_flat(ordered):
            raise FaultError("flat_box", f"{name} has zero area", "Correct the box.")
        if ordered != corners:
            repairs.append(f"{name} has inverted corners: swapped")
        inside = ordered if size is None else _clip(ordered, size)
        if _is_flat(inside):
            raise FaultError(
                "outside_box",
                f"{name} lies outside the {_pixels(size)} image",
                f"Correct the box, or set 'boxes': it was read as {given}, of the image as stored.",
            )
        if any(
            abs(a - b) > NOISE * max(size or (1,)) for a, b in zip(inside, ordered, strict=True)
        ):
            repairs.append(f"{name} reaches outside the {_pixels(size)} image: clipped")
        cleaned.append(inside)
    return cleaned, repairs


def _corners(name: str, box: Box, size: Size | None, given: BoxFormat) -> Box:
    """Return the corners of a box in pixels, in the order in which they are given."""
    if given.unit == "fractions":
        if max(map(abs, box)) > LARGEST_FRACTION:
            raise FaultError(
                "box_unit",
                f"{name} is not in fractions of the image, as others are",
                "Correct the box.",
            )
        if size is None:
            raise FaultError(
                "box_without_image",
                f"{name} is in fractions of an image that is not there",
                "Give the image.",
            )
        box = [side * length for side, length in zip(box, (*size, *size), strict=True)]
    elif max(map(abs, box)) <= 1 and not all(side.is_integer() for side in box):
        raise FaultError(
            "box_unit", f"{name} is in fractions of the image, not in pixels", "Correct the box."
        )
    x, y, width, height = box
    if given.layout == "xyxy":
        return box
    if width < 0 or height < 0:
        raise FaultError(
            "bad_box", f"{name} has a negative size", "Correct the box, or set 'boxes.layout'."
        )
    if given.layout == "cxcywh":
        x, y = x - width / 2, y - height / 2
    return [x, y, x + width, y + height]


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
