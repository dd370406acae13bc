"""Pooling of latents in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from latentmap.api.given import Rows, latents_of
from latentmap.errors import LatentmapError
from latentmap.pool.embed import pool as pool_shards
from latentmap.pool.method import METHODS, PoolingMethod, Regions
from latentmap.store.latents import LatentShard, LatentShards

Method = str | type[PoolingMethod] | PoolingMethod
Boxes = Sequence[Any]


@overload
def pool(
    latents: Rows, method: Sequence[Method] | Literal["all"], boxes: Boxes | None = None
) -> dict[str, NDArray[np.float32]]: ...
@overload
def pool(latents: Rows, method: Method, boxes: Boxes | None = None) -> NDArray[np.float32]: ...
def pool(
    latents: Rows, method: Method | Sequence[Method], boxes: Boxes | None = None
) -> NDArray[np.float32] | dict[str, NDArray[np.float32]]:
    """Turn every latent into one vector.

    Args:
        latents: (N, C, H, W) feature maps: NumPy, torch, or a memory-mapped file, of which one
            block after the other is read.
        method: the name of a pooling method (`latentmap list methods` shows them), a class or an
            object of your own that derives from `PoolingMethod`, several of them, or "all": every
            method that is defined for such latents.
        boxes: for each latent its boxes, (b, 4) as fractions of width and height
            (x0, y0, x1, y1), for the methods that look at them (`region`).

    Returns:
        (N, D) float32; of several methods a dictionary of them, by name.

    Raises:
        LatentmapError: the latents have another shape, one of them is not finite, the number of
            boxes is another, or a method is not for such latents.

    Examples:
        >>> import numpy as np
        >>> import latentmap as lm
        >>> latents = np.random.default_rng(0).normal(size=(20, 4, 8, 8))
        >>> lm.pool(latents, "minmax").shape
        (20, 8)
        >>> vectors = lm.pool(latents, ["mean", "patch4"])
        >>> {name: table.shape for name, table in vectors.items()}
        {'mean': (20, 4), 'patch4': (20, 64)}
    """
    values = latents_of(latents)
    shard = LatentShard(Path("latents"), [str(row) for row in range(len(values))], values, {})
    given = LatentShards(len(values), values.shape[1:], values.dtype, lambda: [shard])
    regions = () if boxes is None else _regions(boxes, len(values))
    if isinstance(method, str) and method == "all":
        return {one.kind: pool_shards(one, given, [regions]) for one in _all(given, boxes)}
    if isinstance(method, Sequence) and not isinstance(method, str):
        chosen = [METHODS.made(one) for one in method]
        return {one.kind: _pooled(one, given, regions) for one in chosen}
    return _pooled(METHODS.made(method), given, regions)


def _all(latents: LatentShards, boxes: Boxes | None) -> list[PoolingMethod]:
    """Return the methods that are defined for these latents."""
    methods = [METHODS.create(name) for name in METHODS]
    return [
        one
        for one in methods
        if one.obstacle(latents.shape) is None and (boxes is not None or not one.needs_regions)
    ]


def _pooled(method: PoolingMethod, latents: LatentShards, regions: Regions) -> NDArray[np.float32]:
    if method.needs_regions and len(regions) == 0:
        raise LatentmapError(f"Pooling method '{method.kind}' needs boxes: give `boxes`.")
    return pool_shards(method, latents, [regions])


def _regions(boxes: Boxes, count: int) -> Regions:
    if len(boxes) != count:
        raise LatentmapError(f"boxes has {len(boxes):,} entries for {count:,} latents.")
    regions = []
    for row, given in enumerate(boxes):
        region = np.asarray([] if given is None else given, np.float64).reshape(-1, 4)
        if not ((region >= 0) & (region <= 1)).all():
            raise LatentmapError(
                f"The boxes of row {row} reach beyond 0 to 1: give fractions of width and height."
            )
        regions.append(region)
    return regions
