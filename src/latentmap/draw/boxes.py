"""How a sample's image is shown: as it came, or with its boxes and their labels drawn on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from PIL import Image, ImageColor, ImageDraw, ImageFont
from pydantic import Field

from latentmap.config import Options
from latentmap.draw.colors import OKABE_ITO
from latentmap.errors import LatentmapError
from latentmap.samples.faults import FaultError
from latentmap.samples.pictures import open_picture

SMALLEST_FONT = 6
"""Size in pixels below which a label is no longer legible and is left out."""

Color = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]

Box = tuple[int, int, int, int]
"""Pixels (x0, y0, x1, y1) of an image; x1 and y1 are the first that are no longer inside."""


class DrawOptions(Options):
    """Options of drawing.

    Attributes:
        line_width: width of a box's line as a fraction of the image's shorter side.
        font_size: height of a label's font as a fraction of the image's shorter side.
        colors: `#rrggbb` of Region [0], [1], …; used again from the first when there are more.
    """

    line_width: float = Field(default=0.008, gt=0, le=0.1)
    font_size: float = Field(default=0.045, gt=0, le=0.5)
    colors: tuple[Color, ...] = Field(default=OKABE_ITO, min_length=1)


@dataclass(frozen=True)
class Region:
    """A box to draw: all the sample's boxes that are the same, drawn once.

    Attributes:
        box: in pixels of the image.
        label: `Region [i]`; `Region [i] [j]` where the boxes i and j are the same.
        color: the colour of Region [i].
    """

    box: Box
    label: str
    color: str


@dataclass(frozen=True)
class Label:
    """A label and its place.

    Attributes:
        text: what it says.
        area: its filled rectangle.
        font_size: in pixels.
        color: of the rectangle; that of its box.
    """

    text: str
    area: Box
    font_size: int
    color: str


def show(sample: Mapping[str, Any], variant: str, options: DrawOptions) -> Image.Image:
    """Show a sample's image the way a variant asks for.

    Args:
        sample: a row of a sample shard; its `image`, `boxes` and `id` are used.
        variant: `plain` or `boxes`.
        options: how boxes are drawn.

    Returns:
        RGB at the size of the image as it is stored; an EXIF orientation is not applied, because
        boxes are pixels of the stored image.

    Raises:
        LatentmapError: the sample has no image or it cannot be read, or the variant is unknown.
    """
    image = decode(sample)
    if variant == "plain":
        return image
    if variant == "boxes":
        return draw_boxes(image, sample["boxes"] or (), options)
    raise LatentmapError(f"Unknown variant '{variant}'. Allowed: plain, boxes.")


def decode(sample: Mapping[str, Any], at_least: int | None = None) -> Image.Image:
    """Decode a sample's image to RGB; see `open_picture`.

    Args:
        sample: a row of a sample shard.
        at_least: lets a JPEG be decoded at a fraction of its size, with no side below this.
    """
    if sample["image"] is None:
        raise LatentmapError(
            f"Sample '{sample['id']}' has no image, and this encoder needs one; choose another."
        )
    try:
        return open_picture(sample["image"], at_least).image
    except FaultError as fault:
        raise LatentmapError(
            f"The image of sample '{sample['id']}' cannot be read ({fault.reason}); "
            "make the samples again so that it is set aside."
        ) from None


def draw_boxes(
    image: Image.Image, boxes: Sequence[Sequence[float]], options: DrawOptions
) -> Image.Image:
    """Return a copy of an RGB image with boxes (x0, y0, x1, y1 in its pixels) and labels drawn."""
    image = image.copy()
    draw = ImageDraw.Draw(image)
    found = regions(boxes, image.size, options)
    width = max(1, round(options.line_width * min(image.size)))
    for region in found:
        x0, y0, x1, y1 = region.box
        draw.rectangle((x0, y0, x1 - 1, y1 - 1), outline=region.color, width=width)
    for label in place_labels(found, image.size, options):
        x0, y0, x1, y1 = label.area
        draw.rectangle((x0, y0, x1 - 1, y1 - 1), fill=label.color)
        draw.text(
            ((x0 + x1) / 2, (y0 + y1) / 2),
            label.text,
            fill=_ink(label.color),
            font=_font(label.font_size),
            anchor="mm",
        )
    return image


def regions(
    boxes: Sequence[Sequence[float]], size: tuple[int, int], options: DrawOptions
) -> list[Region]:
    """Merge identical boxes and give every box its pixels, label and colour.

    Args:
        boxes: (x0, y0, x1, y1) in pixels, possibly fractional or reaching out of the image.
        size: (width, height) of the image.
        options: gives the colours.
    """
    members: dict[Box, list[int]] = {}
    for index, box in enumerate(boxes):
        members.setdefault(_pixels(box, size), []).append(index)
    return [
        Region(
            box=box,
            label="Region " + " ".join(f"[{index}]" for index in indices),
            color=options.colors[indices[0] % len(options.colors)],
        )
        for box, indices in members.items()
    ]


def _pixels(box: Sequence[float], size: tuple[int, int]) -> Box:
    """Round a box to pixels inside the image, at least one wide and high."""
    (x0, x1), (y0, y1) = (
        _span(box[axis], box[axis + 2], length) for axis, length in enumerate(size)
    )
    return x0, y0, x1, y1


def _span(start: float, stop: float, length: int) -> tuple[int, int]:
    first = min(max(round(start), 0), length - 1)
    return first, min(max(round(stop), first + 1), length)


def place_labels(
    found: Sequence[Region], size: tuple[int, int], options: DrawOptions
) -> list[Label]:
    """Place a label at every box, inside the image and clear of the other labels.

    Greedy, in the order of the boxes: of the places around and inside its box a label takes the
    one that hides least of all boxes, the earlier in `_places` on a tie; if none is free, it takes
    the nearest free place of a grid over the image. If there is none either, all labels shrink
    together. A label that finds no place at the smallest legible size is left out.
    """
    largest = max(SMALLEST_FONT, round(options.font_size * min(size)))
    for font_size in range(largest, SMALLEST_FONT - 1, -1):
        labels = _placed(found, size, font_size)
        if len(labels) == len(found):
            break
    return labels


def _placed(found: Sequence[Region], size: tuple[int, int], font_size: int) -> list[Label]:
    labels: list[Label] = []
    for region in found:
        area = _place(region, found, [label.area for label in labels], size, font_size)
        if area is not None:
            labels.append(Label(region.label, area, font_size, region.color))
    return labels


def _place(
    region: Region,
    found: Sequence[Region],
    taken: Sequence[Box],
    size: tuple[int, int],
    font_size: int,
) -> Box | None:
    extent = _extent(region.label, font_size)
    if extent[0] > size[0] or extent[1] > size[1]:
        return None

    def is_free(area: Box) -> bool:
        return not any(_overlap(area, other) for other in taken)

    def hidden(area: Box) -> int:
        return sum(_overlap(area, other.box) for other in found)

    free = filter(is_free, _places(region.box, extent, size))
    best = min(free, key=hidden, default=None)
    return best or next(filter(is_free, _grid(region.box, extent, size)), None)


def _places(box: Box, extent: tuple[int, int], size: tuple[int, int]) -> Iterator[Box]:
    """Yield places at a box that lie in the image: above, below, inside its corners, beside it."""
    x0, y0, x1, y1 = box
    width, height = extent
    left, right = x0, x1 - width
    for x, y in (
        (left, y0 - height),
        (right, y0 - height),
        (left, y1),
        (right, y1),
        (left, y0),
        (right, y0),
        (left, y1 - height),
        (right, y1 - height),
        (x1, y0),
        (x0 - width, y0),
        (x1, y1 - height),
        (x0 - width, y1 - height),
    ):
        inside_x = min(max(x, 0), size[0] - width)
        if 0 <= y <= size[1] - height:
            yield inside_x, y, inside_x + width, y + height


def _grid(box: Box, extent: tuple[int, int], size: tuple[int, int]) -> list[Box]:
    """Return the places of a grid over the image, nearest to the box's upper left corner first."""
    width, height = extent
    step = max(1, height // 2)
    corners = [
        (x, y)
        for y in range(0, size[1] - height + 1, step)
        for x in range(0, size[0] - width + 1, step)
    ]
    corners.sort(key=lambda corner: (corner[0] - box[0]) ** 2 + (corner[1] - box[1]) ** 2)
    return [(x, y, x + width, y + height) for x, y in corners]


def _overlap(first: Box, second: Box) -> int:
    """Return the area in pixels that two boxes share."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(0, width) * max(0, height)


@cache
def _extent(text: str, font_size: int) -> tuple[int, int]:
    """Return width and height of a label's rectangle."""
    left, top, right, bottom = _font(font_size).getbbox(text, anchor="mm")
    padding = max(1, font_size // 4)
    return int(right - left) + 2 * padding, int(bottom - top) + 2 * padding


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@cache
def _ink(color: str) -> str:
    """Return black or white, whichever contrasts more (WCAG 2 relative luminance)."""
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in (value / 255 for value in ImageColor.getrgb(color))
    )
    return "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "white"
