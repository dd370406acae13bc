"""What is true of a rendered scene, and of the things that a question is about, as columns.

Of a question about one thing, all that is about the second is null.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from latentmap.samples.scenery import Scenery, Thing

_OF_A_THING = [
    ("colour", pa.string()),
    ("shape", pa.string()),
    ("material", pa.string()),
    ("across", pa.float64()),
    ("altitude", pa.float64()),
    ("depth", pa.float64()),
    ("width", pa.float64()),
    ("height", pa.float64()),
]

TRUTH_SCHEMA = pa.schema(
    [
        pa.field("things", pa.int64()),
        pa.field("background", pa.string()),
        pa.field("floor", pa.string()),
        pa.field("light", pa.float64()),
        pa.field("light_from", pa.string()),
        pa.field("nearer", pa.string()),
        pa.field("first_side", pa.string()),
        pa.field("first_level", pa.string()),
        *(
            pa.field(f"{thing}_{name}", kind)
            for thing in ("first", "second")
            for name, kind in _OF_A_THING
        ),
    ]
)
"""Columns of the truth.

things: how many there are in the picture. background, floor: patterns of the wall and the floor.
light: the direction it comes from, -1 is left and 1 is right; light_from: the same in a word.
nearer: which of the two things is nearer to the viewer, `first` or `second`. first_side: on which
side of the second the first is seen, `left` or `right`. first_level: whether it is seen `above` or
`below`. Of each thing its colour, shape and material (the pattern of its surface), and in metres
how far right of the camera's axis its base is (across), how high above the floor (altitude), how
far away (depth), and its width and height.
"""

ALIKE = 1e-6
"""Differences below this are rounding."""


def truth(scenery: Scenery, regions: tuple[Thing, ...]) -> dict[str, Any]:
    """Return what is true of a scene and of one or two things in it, by `TRUTH_SCHEMA`."""
    told: dict[str, Any] = {
        "things": len(scenery.things),
        "background": scenery.backdrop.wall,
        "floor": scenery.backdrop.floor,
        "light": scenery.light,
        "light_from": "left" if scenery.light < 0 else "right",
    }
    for name, thing in zip(("first", "second"), regions, strict=False):
        solid = thing.solid
        told |= {f"{name}_colour": thing.colour}
        told |= {
            f"{name}_{key}": getattr(solid, key)
            for key in ("shape", "across", "altitude", "depth", "width", "height")
        }
        told[f"{name}_material"] = solid.pattern
    if len(regions) == 2:
        told |= _between(*regions)
    return told


def _between(first: Thing, second: Thing) -> dict[str, str | None]:
    """Return in words how the first thing is placed to the second; null where they are level."""
    (x, y), (other_x, other_y) = _middle(first), _middle(second)
    return {
        "nearer": _either(first.solid.depth - second.solid.depth, "first", "second"),
        "first_side": _either(x - other_x, "left", "right"),
        "first_level": _either(y - other_y, "above", "below"),
    }


def _middle(thing: Thing) -> tuple[float, float]:
    """Return the middle of a thing in the picture, in pixels."""
    x0, y0, x1, y1 = thing.box
    return (x0 + x1) / 2, (y0 + y1) / 2


def _either(difference: float, if_less: str, if_more: str) -> str | None:
    if abs(difference) < ALIKE:
        return None
    return if_less if difference < 0 else if_more
