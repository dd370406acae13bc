"""How the first two boxes of a picture lie to each other, and which is larger."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa

from latentmap.targets.boxes import Numbers, centres, columns_of_boxes, fractions, known, sizes
from latentmap.targets.derivation import Derivation, DerivationOptions, Derived


class BoxPairs(Derivation[DerivationOptions]):
    """Offsets of the first box from the second, the log of their areas' ratio, distance, overlap.

    dx is positive where the centre of the first is right of that of the second, and dy where it is
    below. Overlap is the intersection over the union. Not defined for samples with one box or none.
    """

    family = "two boxes"
    names = ("dx", "dy", "log_area_ratio", "distance", "overlap")

    def columns(self, there: Collection[str]) -> tuple[str, ...]:
        """See `Derivation.columns`."""
        return columns_of_boxes(there)

    def derive(self, samples: pa.Table) -> Sequence[Derived]:
        """See `Derivation.derive`."""
        first, second = fractions(samples, 2).swapaxes(0, 1)
        dx, dy = (centres(first) - centres(second)).T
        ratio = np.log(_areas(first) / _areas(second))
        distance = np.hypot(dx, dy) / np.sqrt(2)
        found = {
            "dx": ("first box right of the second", dx, "of the picture's width"),
            "dy": ("first box below the second", dy, "of the picture's height"),
            "log_area_ratio": ("first box larger than the second", ratio, "ln of the areas' ratio"),
            "distance": ("distance of the two boxes", distance, "of the picture's diagonal"),
            "overlap": ("overlap of the two boxes", _overlap(first, second), "IoU"),
        }
        return [
            Derived(name, title, "continuous", known(values), unit)
            for name, (title, values, unit) in found.items()
        ]


def _areas(boxes: Numbers) -> Numbers:
    """Return the areas of boxes (N, 4), (N,)."""
    areas: Numbers = sizes(boxes).prod(axis=1)
    return areas


def _overlap(first: Numbers, second: Numbers) -> Numbers:
    """Return the intersection of boxes (N, 4) over their union, (N,)."""
    low, high = np.maximum(first, second)[:, :2], np.minimum(first, second)[:, 2:]
    shared: Numbers = (high - low).clip(0, None).prod(axis=1)
    overlap: Numbers = shared / (_areas(first) + _areas(second) - shared)
    return overlap
