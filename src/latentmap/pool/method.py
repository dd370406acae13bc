"""What a pooling method is."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentmap.config import Options, Plugin, Registry

Shape = tuple[int, ...]
Latents = NDArray[np.float32]
Regions = Sequence[NDArray[np.float64]]


class PoolingMethod(Plugin[Options]):
    """A way to turn every latent into one vector.

    Attributes:
        reference: where the method comes from.
        accepts_vectors: whether it is defined for latents that are vectors already; all methods
            are for feature maps.
        needs_regions: whether it looks at the boxes; if not, it may be given none.
    """

    reference: ClassVar[str]
    accepts_vectors: ClassVar[bool] = False
    needs_regions: ClassVar[bool] = False

    @classmethod
    def obstacle(cls, shape: Shape) -> str | None:
        """Return what the method asks of latents that those of this shape lack, if anything."""
        if len(shape) == 3 or (len(shape) == 1 and cls.accepts_vectors):
            return None
        return "is for feature maps (C, H, W)"

    @classmethod
    def account(cls) -> tuple[str, ...] | None:
        """Return what squared distances are sums over, as docs/explorer-format.md names it.

        Returns:
            Statistics of channels to which each position adds its part; None where distances are
            no such sums.
        """
        return None

    @abstractmethod
    def tokens(self, shape: Shape) -> int:
        """Return how many tokens a model would be given, for latents of this (C, H, W)."""

    @abstractmethod
    def dims(self, shape: Shape) -> int:
        """Return the length D of the vector, for latents of this (C, H, W)."""

    @abstractmethod
    def pool(self, latents: Latents, regions: Regions) -> NDArray[np.float32]:
        """Pool a block of latents.

        Args:
            latents: (n, C, H, W) float32 (vectors: (n, D)).
            regions: for each latent its boxes, (b, 4) as fractions of width and height
                (x0, y0, x1, y1); b may be 0. Empty if the method does not need them.

        Returns:
            (n, D) float32.
        """

    @classmethod
    def finishes(cls) -> bool:
        """Return whether the method needs the vectors of all samples together."""
        return cls.finish is not PoolingMethod.finish

    def finish(self, pooled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Transform the table of all samples (N, D'), where a method needs them together."""
        return pooled


def name_of(given: str) -> str:
    """Return a method's name without what the first scripts of its kind put around it.

    `mode_max` and `max_pool` are `max`, `minmax_concat` is `minmax`, `patch_8x8` is `patch8`.
    """
    bare = re.sub(r"^mode_|_(?:pool|concat|flat|mode)$", "", given)
    return re.sub(r"^patch_(\d+)(?:x\1)?$", r"patch\1", bare)


METHODS: Registry[PoolingMethod] = Registry(
    "latentmap.pool.methods", PoolingMethod, "pooling method"
)
