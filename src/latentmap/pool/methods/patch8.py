"""Mean of each 8×8 patch of positions: a coarse picture, one token per patch."""

from __future__ import annotations

from typing import ClassVar

from latentmap.pool.grids import PatchMeans


class Patch8(PatchMeans):
    """Means of 8×8 patches."""

    reference: ClassVar[str] = (
        "LeCun et al. 1998, Gradient-based learning (subsampling); "
        "Dosovitskiy et al. 2021, ViT (patches as tokens)"
    )
    patch = 8
