"""Rendering of simple scenes: shaded solids on a patterned floor before a wall, seen by a camera.

Everything is closed-form numpy on float32 pixels: a scene always renders to the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.floating[Any]]
Colour = tuple[float, float, float]

TILE = 32
"""Width in pixels of the strip that a tiled backdrop repeats, every other time mirrored."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks straight ahead over a level floor.

    Attributes:
        width, height: of the image, in pixels.
        horizon: its row.
        focal: focal length in pixels.
        eye: height above the floor, in metres.
    """

    width: int
    height: int
    horizon: float
    focal: float
    eye: float = 1.6

    def column(self, across: float, depth: float) -> float:
        """Return the column of a point, `across` metres right of the axis."""
        return self.width / 2 + self.focal * across / depth

    def row(self, altitude: float, depth: float) -> float:
        """Return the row of a point, `altitude` metres above the floor."""
        return self.horizon + self.focal * (self.eye - altitude) / depth


@dataclass(frozen=True)
class Solid:
    """One object, standing on the floor or hanging above it.

    Attributes:
        shape: a key of `PROFILES`.
        pattern: a key of `PATTERNS`.
        colour, second_colour: RGB in [0, 1]; the pattern mixes them.
        across, depth, altitude: where its base is, in metres.
        width, height: in metres.
    """

    shape: str
    pattern: str
    colour: Colour
    second_colour: Colour
    across: float
    depth: float
    altitude: float
    width: float
    height: float

    def box(self, camera: Camera) -> tuple[float, float, float, float]:
        """Return its bounding box (x0, y0, x1, y1) in pixels.

        Its axis and base lie on whole pixels and its size is a multiple of 1/8 pixel, exact in
        binary: a solid moved by whole pixels renders to the same bytes.
        """
        scale = camera.focal / self.depth
        centre = round(camera.column(self.across, self.depth))
        base = round(camera.row(self.altitude, self.depth))
        half = round(4 * self.width * scale) / 8
        height = round(8 * self.height * scale) / 8
        return centre - half, base - height, centre + half, float(base)


@dataclass(frozen=True)
class Backdrop:
    """The wall and the floor of a scene.

    Attributes:
        wall: a key of `WALLS`.
        floor: a key of `FLOORS`.
        wall_colours: RGB at the top and at the bottom.
        floor_colours: RGB of the two parts of the floor's pattern.
        depth: of the wall, in metres.
        unit: size of the patterns, in metres.
        grain: strength of the uneven texture, as a fraction of full brightness.
        seed: of the texture.
        tiled: whether to repeat one narrow strip, which gives perspective away for a backdrop that
            is the same at places an even number of `TILE` apart.
        tiled_rows: the same from top to bottom, for a backdrop that is all wall.
    """

    wall: str
    floor: str
    wall_colours: tuple[Colour, Colour]
    floor_colours: tuple[Colour, Colour]
    depth: float
    unit: float
    grain: float
    seed: int
    tiled: bool = False
    tiled_rows: bool = False


@dataclass(frozen=True)
class Scene:
    """What there is to see.

    Attributes:
        camera: who sees it.
        backdrop: what is behind.
        solids: the objects, in any order.
        light: horizontal direction that light comes from; -1 is left, 1 is right.
    """

    camera: Camera
    backdrop: Backdrop
    solids: tuple[Solid, ...]
    light: float


def render(scene: Scene) -> NDArray[np.uint8]:
    """Return the (height, width, 3) image of a scene."""
    image = _backdrop(scene.backdrop, scene.camera)
    far_to_near = sorted(scene.solids, key=lambda solid: -solid.depth)
    for solid in far_to_near:
        _cast_shadow(image, solid, scene)
    for solid in far_to_near:
        _draw(image, solid, scene)
    return np.rint(image.clip(0, 1) * 255).astype(np.uint8)


# Half the width of a solid of revolution, as a fraction of its greatest, from its top (v = 0) to
# its base (v = 1).
PROFILES: Mapping[str, Callable[[Pixels], Pixels]] = {
    "ball": lambda v: np.sqrt(1 - (2 * v - 1) ** 2),
    "balloon": lambda v: np.sqrt(1 - (2 * v**0.75 - 1) ** 2) * (1.08 - 0.16 * v) / 1.0204,
    "bell": lambda v: np.where(v < 0.88, 0.82 * np.sqrt(1 - (1 - v / 0.88) ** 2), 1),
    "bottle": lambda v: 0.32 + 0.68 * _step((v - 0.4) * 12),
    "cone": lambda v: 0.02 + 0.98 * v,
    "crate": lambda v: np.ones_like(v),
    "cylinder": lambda v: np.ones_like(v),
    "hourglass": lambda v: 0.35 + 0.65 * (2 * v - 1) ** 2,
    "lamp": lambda v: np.where(v < 0.35, 0.55 + 1.28 * v, np.where(v < 0.92, 0.08, 0.6)),
    "tree": lambda v: np.where(v < 0.8, 0.05 + 1.18 * v, 0.16),
    "vase": lambda v: 0.45 + 0.55 * np.sin(np.pi * v**0.8) ** 2,
}

# How much of the second colour there is at an angle around the axis (0 to 1) and a height v.
PATTERNS: Mapping[str, Callable[[Pixels, Pixels], Pixels]] = {
    "plain": lambda angle, v: np.zeros_like(angle + v),
    "banded": lambda angle, v: _step(6 * np.sin(5 * np.pi * v) + 0 * angle),
    "striped": lambda angle, v: _step(6 * np.sin(8 * np.pi * angle) + 0 * v),
    "checked": lambda angle, v: _step(9 * np.sin(6 * np.pi * angle) * np.sin(5 * np.pi * v)),
    "dotted": lambda angle, v: _step(
        9 * (np.sin(6 * np.pi * angle) ** 2 * np.sin(5 * np.pi * v) ** 2 - 0.5)
    ),
}

# How much darker a wall is at a place (x, y) in units of its pattern.
WALLS: Mapping[str, Callable[[Pixels, Pixels], Pixels]] = {
    "bare": lambda x, y: np.zeros_like(x + y),
    "panelled": lambda x, y: _line(x, 0.06) + 0 * y,
    "papered": lambda x, y: 0.6 * _step(6 * np.sin(2 * np.pi * x)) + 0 * y,
    "brick": lambda x, y: np.maximum(
        _line(2 * y, 0.1), _line(x + 0.5 * (np.floor(2 * y) % 2), 0.05)
    ),
    "clouded": lambda x, y: 0.5 + 0.5 * np.sin(2.1 * x + np.sin(1.7 * y)) * np.sin(3.3 * y + x),
}

# How much of its second colour a floor has at a place, x across and z away, in units of its
# pattern.
FLOORS: Mapping[str, Callable[[Pixels, Pixels], Pixels]] = {
    "bare": lambda x, z: np.zeros_like(x + z),
    "tiles": lambda x, z: _step(9 * np.sin(np.pi * x) * np.sin(np.pi * z)),
    "planks": lambda x, z: _line(x, 0.08) + 0 * z,
    "lanes": lambda x, z: _step(6 * np.sin(np.pi * z)) + 0 * x,
}


def _step(value: Pixels) -> Pixels:
    """Return a soft step from 0 to 1."""
    return 0.5 + 0.5 * np.tanh(value)


def _line(value: Pixels, thickness: float) -> Pixels:
    """Return 1 on a line at every whole value and 0 between, with soft edges."""
    distance = np.abs(value - np.rint(value))
    return (1.5 - distance / thickness).clip(0, 1)


def _grid(camera: Camera) -> tuple[Pixels, Pixels]:
    """Return pixel centres: columns (1, W) and rows (H, 1)."""
    return (
        np.arange(camera.width, dtype=np.float32)[None] + np.float32(0.5),
        np.arange(camera.height, dtype=np.float32)[:, None] + np.float32(0.5),
    )


def _mix(first: Colour, second: Colour, share: Pixels) -> Pixels:
    low, high = np.array(first, np.float32), np.array(second, np.float32)
    return low + share[..., None] * (high - low)


def _backdrop(backdrop: Backdrop, camera: Camera) -> Pixels:
    columns, rows = _grid(camera)
    seam = camera.row(0, backdrop.depth)
    wall = _wall(backdrop, camera, columns, rows, seam)
    floor = _floor(backdrop, camera, columns, rows)
    image = np.where((rows < seam)[..., None], wall, floor)
    image += _grain(backdrop, camera)
    # A skirting line where the wall meets the floor.
    image *= 1 - 0.35 * (1.5 - np.abs(rows - seam)).clip(0, 1)[..., None]
    if backdrop.tiled:
        image = _repeat(image, axis=1)
    return _repeat(image, axis=0) if backdrop.tiled_rows else image


def _wall(backdrop: Backdrop, camera: Camera, columns: Pixels, rows: Pixels, seam: float) -> Pixels:
    metre = camera.focal / backdrop.depth * backdrop.unit
    darker = WALLS[backdrop.wall]((columns - camera.width / 2) / metre, (rows - seam) / metre)
    gradient = np.broadcast_to((rows / seam).clip(0, 1), darker.shape)
    return _mix(*backdrop.wall_colours, gradient) * (1 - 0.22 * darker)[..., None]


def _floor(backdrop: Backdrop, camera: Camera, columns: Pixels, rows: Pixels) -> Pixels:
    below = (rows - camera.horizon).clip(1, None)
    away = camera.focal * camera.eye / below
    across = (columns - camera.width / 2) * away / camera.focal
    share = FLOORS[backdrop.floor](across / backdrop.unit, away / backdrop.unit)
    # Far away the pattern is finer than a pixel: it fades into its mean, as paint in haze does.
    clear = (1.4 - away / backdrop.depth).clip(0, 1)
    shade = 0.75 + 0.25 * (below / (camera.height - camera.horizon))
    return _mix(*backdrop.floor_colours, 0.3 + (share - 0.3) * clear) * shade[..., None]


def _grain(backdrop: Backdrop, camera: Camera) -> Pixels:
    """Return a smooth uneven texture, (H, W, 1), of two scales."""
    generator = np.random.default_rng(backdrop.seed)
    total = np.zeros((camera.height, camera.width), np.float32)
    for pixels, weight in ((32, 1.0), (6, 0.5)):
        coarse = generator.random((camera.height // pixels + 1, camera.width // pixels + 1))
        picture = Image.fromarray((coarse - 0.5).astype(np.float32))
        total += weight * np.asarray(
            picture.resize((camera.width, camera.height), Image.Resampling.BICUBIC)
        )
    return backdrop.grain * total[..., None]


def _repeat(image: Pixels, axis: int) -> Pixels:
    """Repeat a strip of `TILE` pixels in the middle, mirrored every other time: no seams."""
    length = image.shape[axis]
    phase = np.arange(length) % (2 * TILE)
    return image.take(length // 2 + np.where(phase < TILE, phase, 2 * TILE - 1 - phase), axis)


def _cast_shadow(image: Pixels, solid: Solid, scene: Scene) -> None:
    """Darken the floor below a solid, fainter the higher it hangs."""
    camera = scene.camera
    columns, rows = _grid(camera)
    x0, _, x1, _ = solid.box(camera)
    reach = 0.65 * (x1 - x0)
    centre = (x0 + x1) / 2 - 0.2 * reach * scene.light
    row = camera.row(0, solid.depth) - 0.1 * reach
    distance = ((columns - centre) / reach) ** 2 + ((rows - row) / (0.35 * reach)) ** 2
    strength = 0.55 / (1 + solid.altitude)
    image *= 1 - strength * (1 - distance).clip(0, 1)[..., None]


def _draw(image: Pixels, solid: Solid, scene: Scene) -> None:
    x0, y0, x1, y1 = solid.box(scene.camera)
    top, bottom = max(int(y0), 0), min(int(np.ceil(y1)), scene.camera.height)
    left, right = max(int(x0), 0), min(int(np.ceil(x1)), scene.camera.width)
    columns, rows = _grid(scene.camera)
    columns, rows = columns[:, left:right], rows[top:bottom]

    v = ((rows - y0) / (y1 - y0)).clip(0, 1)
    half = PROFILES[solid.shape](v) * (x1 - x0) / 2
    u = ((columns - (x0 + x1) / 2) / half.clip(0.5, None)).clip(-1, 1)
    normals = _crate_normals(u, v) if solid.shape == "crate" else _round_normals(u, half)
    angle = u / 2 + 0.5 if solid.shape == "crate" else np.arcsin(u) / np.pi + 0.5

    colour = _mix(solid.colour, solid.second_colour, PATTERNS[solid.pattern](angle, v))
    shaded = _light(colour, normals, scene.light)
    cover = (half + 0.5 - np.abs(columns - (x0 + x1) / 2)).clip(0, 1)
    cover = cover * np.minimum(rows + 0.5 - y0, y1 + 0.5 - rows).clip(0, 1)
    part = image[top:bottom, left:right]
    part += cover[..., None] * (shaded - part)


def _round_normals(u: Pixels, half: Pixels) -> tuple[Pixels, Pixels, Pixels]:
    """Return the normals (right, down, to the viewer) of a solid of revolution."""
    slope = np.gradient(half, axis=0) if len(half) > 1 else np.zeros_like(half)
    slope = slope.clip(-3, 3)
    length = np.sqrt(1 + slope**2)
    return u / length, -slope / length, np.sqrt(1 - u**2) / length


def _crate_normals(u: Pixels, v: Pixels) -> tuple[Pixels, Pixels, Pixels]:
    """Return the normals of a front, with a strip of the top and of the right side."""
    top = np.broadcast_to(v < 0.14, np.broadcast_shapes(u.shape, v.shape))
    side = ~top & (u > 0.62)
    return side.astype(np.float32), -top.astype(np.float32), (~top & ~side).astype(np.float32)


def _light(colour: Pixels, normals: tuple[Pixels, Pixels, Pixels], light: float) -> Pixels:
    """Shade by Lambert's law with a small highlight (Blinn 1977), light from above and ahead."""
    across, down, ahead = normals
    length = math.hypot(light, 0.6, 0.8)
    facing = ((across * light - 0.6 * down + 0.8 * ahead) / length).clip(0, 1)
    half = np.array([light / length, -0.6 / length, 0.8 / length + 1], np.float32)
    half /= np.linalg.norm(half)
    gloss = (across * half[0] + down * half[1] + ahead * half[2]).clip(0, 1) ** 24
    return colour * (0.4 + 0.65 * facing)[..., None] + 0.25 * gloss[..., None]
