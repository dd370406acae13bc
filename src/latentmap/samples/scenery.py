"""Random scenes: which objects there are, and where they stand or hang."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from latentmap.samples.rendering import (
    FLOORS,
    PATTERNS,
    WALLS,
    Backdrop,
    Camera,
    Colour,
    Scene,
    Solid,
)

Variation = Literal["background", "light"]
"""What can be different of a scene that no question is about."""

WARM: dict[str, Colour] = {
    "red": (0.85, 0.16, 0.14),
    "orange": (0.95, 0.55, 0.12),
    "yellow": (0.95, 0.85, 0.25),
    "pink": (0.93, 0.48, 0.62),
}
COOL: dict[str, Colour] = {
    "green": (0.20, 0.62, 0.27),
    "teal": (0.10, 0.62, 0.62),
    "blue": (0.15, 0.33, 0.80),
    "purple": (0.50, 0.25, 0.70),
}
COLOURS: dict[str, Colour] = {
    **WARM,
    **COOL,
    "white": (0.90, 0.90, 0.88),
    "brown": (0.48, 0.30, 0.16),
    "grey": (0.45, 0.46, 0.48),
}

# Width over height of each shape, from the slimmest to the widest.
STANDING: dict[str, tuple[float, float]] = {
    "ball": (1.0, 1.0),
    "bell": (0.7, 1.2),
    "bottle": (0.25, 0.45),
    "cone": (0.4, 1.4),
    "crate": (0.5, 2.8),
    "cylinder": (0.25, 2.2),
    "hourglass": (0.4, 0.8),
    "lamp": (0.3, 0.5),
    "tree": (0.4, 0.8),
    "vase": (0.4, 0.9),
}
HANGING: dict[str, tuple[float, float]] = {
    "ball": (1.0, 1.0),
    "balloon": (0.7, 0.9),
    "bell": (0.7, 1.2),
    "cylinder": (0.5, 1.5),
}

SIZES = ((256, 256), (256, 192), (192, 256), (256, 208))
STANDING_COUNT = 5
HANGING_COUNT = 2
NEAREST, FARTHEST = 3.0, 8.5
MARGIN = 3
SMALLEST = 16
HIDDEN = 0.35
"""Greatest share of a box that another box may overlap."""

STUDIO_CAMERA = Camera(256, 256, horizon=90, focal=244)
STUDIO = Backdrop(
    wall="clouded",
    floor="lanes",
    wall_colours=((0.72, 0.72, 0.74), (0.62, 0.62, 0.64)),
    floor_colours=((0.55, 0.53, 0.50), (0.45, 0.43, 0.40)),
    depth=10,
    unit=0.9,
    grain=0.05,
    seed=0,
    tiled=True,
)
OTHER_STUDIO = replace(
    STUDIO,
    wall="brick",
    floor="planks",
    wall_colours=((0.60, 0.66, 0.60), (0.50, 0.56, 0.50)),
    floor_colours=((0.62, 0.52, 0.42), (0.40, 0.32, 0.24)),
)
# From so high up only the wall is seen.
WALL_CAMERA = replace(STUDIO_CAMERA, eye=8.0)
SWAP_DEPTH = 3.2
SWAP_PLACES = (64, 192)
"""Columns, and rows, of the middle of a thing."""
SWAP_SIZE = (60, 110)
"""Greatest width and height in pixels; with its shadow a thing is 1.55 times as wide."""
HANGING_SIZE = (64, 64)
"""The same before a wall: farther from the border, at whose padding an encoder can tell where it
is."""


@dataclass(frozen=True)
class Thing:
    """An object with its name and the box it is seen in.

    Attributes:
        name: such as "red ball".
        solid: what is drawn.
        box: (x0, y0, x1, y1) in pixels.
    """

    name: str
    solid: Solid
    box: tuple[float, float, float, float]

    @property
    def colour(self) -> str:
        """Name of its colour."""
        return self.name.removesuffix(f" {self.solid.shape}")


@dataclass(frozen=True)
class Scenery:
    """A scene and the things in it."""

    camera: Camera
    backdrop: Backdrop
    light: float
    things: tuple[Thing, ...]

    @property
    def scene(self) -> Scene:
        """What to render."""
        return Scene(
            self.camera, self.backdrop, tuple(thing.solid for thing in self.things), self.light
        )

    def but(self, variation: Variation) -> Scenery:
        """Return the same scenery in which one thing is different that no question is about."""
        if variation == "light":
            return replace(self, light=-self.light)
        other = _wall_of(OTHER_STUDIO) if self.backdrop.tiled_rows else OTHER_STUDIO
        return replace(self, backdrop=other)


def random_scenery(generator: np.random.Generator) -> Scenery:
    """Make a scene of several things, some standing at different depths and some hanging."""
    width, height = SIZES[generator.integers(len(SIZES))]
    camera = Camera(
        width,
        height,
        horizon=generator.uniform(0.3, 0.42) * height,
        focal=0.95 * max(width, height),
    )
    backdrop = _random_backdrop(generator)
    light = float(generator.choice([-1.0, 1.0]) * generator.uniform(0.3, 1.0))
    things: list[Thing] = []
    for number in range(STANDING_COUNT + HANGING_COUNT):
        # A crowded scene has no room for one more: it stays with those it has.
        for _ in range(30):
            thing = _random_thing(generator, camera, hangs=number >= STANDING_COUNT)
            if _fits(thing, things, camera):
                things.append(thing)
                break
    return Scenery(camera, backdrop, light, tuple(things))


def swapped_sceneries(generator: np.random.Generator, *, both_ways: bool) -> list[Scenery]:
    """Make a scene of two things, and the same scene with the two in each other's place.

    The images are made of the same 8 × 8 blocks of pixels in another order: the things stand a
    whole number of blocks apart on a backdrop that repeats, so that exactly those blocks change
    places that hold a thing and its shadow. What throws position away cannot tell them apart. The
    first thing has a warm colour and the second a cool one, so that what keeps position can.
    Camera, backdrop and places are the same in all sets.

    Args:
        generator: of what is random.
        both_ways: whether the things hang before a wall, in opposite quarters of the image, and
            change places from left to right and from top to bottom independently.

    Returns:
        Two sceneries: the first thing on the left, and on the right. Both ways four: the first
        thing at the upper left, the upper right, the lower left and the lower right.
    """
    light = float(generator.choice([-1.0, 1.0]) * generator.uniform(0.3, 1.0))
    solids = [
        _random_solid(generator, STANDING, colours, SWAP_DEPTH)
        for colours in (list(WARM), list(COOL))
    ]
    near, far = SWAP_PLACES
    if not both_ways:
        rows: list[tuple[int | None, int | None]] = [(None, None)]
        camera, backdrop = STUDIO_CAMERA, STUDIO
    else:
        rows = [(near, far), (far, near)]
        camera, backdrop = WALL_CAMERA, _wall_of(STUDIO)
    return [
        Scenery(
            camera,
            backdrop,
            light,
            tuple(_placed(camera, *place) for place in zip(solids, columns, levels, strict=True)),
        )
        for levels in rows
        for columns in ((near, far), (far, near))
    ]


def _wall_of(studio: Backdrop) -> Backdrop:
    """Return the backdrop that is all wall, the same at every height."""
    colour, _ = studio.wall_colours
    return replace(studio, wall_colours=(colour, colour), tiled_rows=True)


def _placed(camera: Camera, named: tuple[str, Solid], column: int, row: int | None) -> Thing:
    """Put a solid at a column of the studio, scaled to fill the room it has.

    Args:
        camera: who sees it.
        named: its name, and the solid.
        column: of its middle.
        row: of its middle; null where it stands on the floor.
    """
    name, solid = named
    metre = camera.focal / SWAP_DEPTH
    size = SWAP_SIZE if row is None else HANGING_SIZE
    widest, highest = (pixels / metre for pixels in size)
    scale = min(widest / solid.width, highest / solid.height)
    height = solid.height * scale
    altitude = 0.0
    if row is not None:
        base = row + round(height * metre / 2)
        altitude = camera.eye - (base - camera.horizon) / metre
    solid = replace(
        solid,
        across=(column - camera.width / 2) / metre,
        altitude=altitude,
        width=solid.width * scale,
        height=height,
    )
    return Thing(name, solid, solid.box(camera))


def _random_backdrop(generator: np.random.Generator) -> Backdrop:
    wall, floor = (_random_pale(generator) for _ in range(2))
    return Backdrop(
        wall=_pick(generator, list(WALLS)),
        floor=_pick(generator, list(FLOORS)),
        wall_colours=(wall, _scaled(wall, generator.uniform(0.7, 1.0))),
        floor_colours=(floor, _scaled(floor, generator.uniform(0.5, 0.85))),
        depth=generator.uniform(9, 12),
        unit=generator.uniform(0.6, 1.4),
        grain=generator.uniform(0.02, 0.12),
        seed=int(generator.integers(2**31)),
    )


def _random_thing(generator: np.random.Generator, camera: Camera, *, hangs: bool) -> Thing:
    # Uniform in 1 / depth: evenly spread over the rows of the floor.
    depth = 1 / generator.uniform(1 / FARTHEST, 1 / NEAREST)
    name, solid = _random_solid(
        generator, HANGING if hangs else STANDING, list(COLOURS), float(depth)
    )
    column = generator.uniform(0, camera.width)
    solid = replace(
        solid,
        across=float((column - camera.width / 2) * depth / camera.focal),
        altitude=float(generator.uniform(0.8, 2.2)) if hangs else 0.0,
    )
    return Thing(name, solid, solid.box(camera))


def _random_solid(
    generator: np.random.Generator,
    shapes: dict[str, tuple[float, float]],
    colours: list[str],
    depth: float,
) -> tuple[str, Solid]:
    """Make a solid on the axis of the camera, and its name."""
    shape = _pick(generator, list(shapes))
    colour = _pick(generator, colours)
    ratio = generator.uniform(*shapes[shape])
    # The area varies on a logarithmic scale, from 0.12 to 1.2 square metres.
    area = 0.12 * 10 ** generator.uniform(0, 1)
    base = _jittered(generator, COLOURS[colour])
    solid = Solid(
        shape=shape,
        pattern=_pick(generator, ["plain", *PATTERNS]),
        colour=base,
        second_colour=_scaled(base, generator.uniform(0.45, 0.7)),
        across=0.0,
        depth=depth,
        altitude=0.0,
        width=float(np.sqrt(area * ratio)),
        height=float(np.sqrt(area / ratio)),
    )
    return f"{colour} {shape}", solid


def _fits(thing: Thing, others: list[Thing], camera: Camera) -> bool:
    x0, y0, x1, y1 = thing.box
    inside = (
        x0 >= MARGIN
        and y0 >= MARGIN
        and x1 <= camera.width - MARGIN
        and y1 <= camera.height - MARGIN
    )
    large = min(x1 - x0, y1 - y0) >= SMALLEST
    named = all(thing.name != other.name for other in others)
    return inside and large and named and all(_overlap(thing, other) <= HIDDEN for other in others)


def _overlap(first: Thing, second: Thing) -> float:
    """Return the share of the smaller box that the other covers."""
    a, b = first.box, second.box
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return max(width, 0.0) * max(height, 0.0) / smaller


def _pick(generator: np.random.Generator, names: list[str]) -> str:
    return names[generator.integers(len(names))]


def _random_pale(generator: np.random.Generator) -> Colour:
    brightness = generator.uniform(0.45, 0.95)
    return _clipped(brightness * (1 - 0.45 * generator.random(3)))


def _jittered(generator: np.random.Generator, colour: Colour) -> Colour:
    return _clipped(np.array(colour) + generator.uniform(-0.07, 0.07, 3))


def _scaled(colour: Colour, factor: float) -> Colour:
    return _clipped(np.array(colour) * factor)


def _clipped(values: np.ndarray) -> Colour:
    red, green, blue = values.clip(0.02, 0.98).tolist()
    return red, green, blue
