"""How many boxes a picture has, and where the first one is and how large."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pyarrow as pa

from latentmap.targets.boxes import centres, columns_of_boxes, counted, fractions, known, sizes
from latentmap.targets.derivation import Derivation, DerivationOptions, Derived


class Boxes(Derivation[DerivationOptions]):
    """The count of boxes, and of the first its centre (x, y), width, height and area.

    Lengths are fractions of the picture's width and height. Not defined for samples without a
    picture, nor, but for the count, for those without boxes.
    """

    family = "boxes"
    names = ("count", "x", "y", "width", "height", "area")

    def columns(self, there: Collection[str]) -> tuple[str, ...]:
        """See `Derivation.columns`."""
        return columns_of_boxes(there)

    def derive(self, samples: pa.Table) -> Sequence[Derived]:
        """See `Derivation.derive`."""
        first = fractions(samples, 1)[:, 0]
        (x, y), (width, height) = centres(first).T, sizes(first).T
        across, down = "of the picture's width", "of the picture's height"
        area = "of the picture's area"
        return (
            Derived("count", "number of boxes", "continuous", counted(samples), "boxes"),
            Derived("x", "centre of the box from the left", "continuous", known(x), across),
            Derived("y", "centre of the box from the top", "continuous", known(y), down),
            Derived("width", "width of the box", "continuous", known(width), across),
            Derived("height", "height of the box", "continuous", known(height), down),
            Derived("area", "area of the box", "continuous", known(width * height), area),
        )
