"""From the latents of all shards to one embedding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.pool.method import Latents, PoolingMethod, Regions, Shape
from latentmap.store.latents import LatentShard, read_shards
from latentmap.store.samples import read_samples
from latentmap.store.tables import write_embedding

# A block of latents and what a method makes of it stay in the second-level cache.
BLOCK_BYTES = 2**19


def pool_latents(
    method: PoolingMethod, latents: Sequence[Path], samples: Sequence[Path], output: Path
) -> None:
    """Pool all latents with one method and write the embedding.

    Latents are read block by block; only the embedding is in memory as a whole.

    Args:
        method: the pooling method.
        latents: shards of latents.
        samples: the shards of samples they belong to, in the same order.
        output: the embedding's Parquet file.

    Raises:
        LatentmapError: a shard's ids are not its samples', the latents' shapes differ, the method
            is not for such latents, or the vector of a sample is not finite.
    """
    shards = read_shards(latents, samples)
    if not shards:
        raise LatentmapError("There is no latent to pool: every shard of samples is empty.")
    ids = [identity for shard in shards for identity in shard.ids]
    embedding = pool(method, shards, _regions(samples) if method.needs_regions else ())
    write_embedding(output, ids, embedding, method.tokens(shards[0].values.shape[1:]))


def pool(
    method: PoolingMethod, shards: Sequence[LatentShard], regions: Regions = ()
) -> NDArray[np.float32]:
    """Pool all latents of one shape with one method.

    Args:
        method: the pooling method.
        shards: the latents, one shard or more.
        regions: of each latent the boxes, as for `PoolingMethod.pool`.

    Returns:
        (N, D) float32.

    Raises:
        LatentmapError: the method is not for such latents, or the vector of a sample is not
            finite.
    """
    shape = _common_shape(method, shards)
    count = sum(len(shard.ids) for shard in shards)
    embedding = method.finish(_pool(method, shards, regions, count))
    expected = (count, method.dims(shape))
    if embedding.shape != expected:
        raise LatentmapError(
            f"Pooling method '{method.kind}' gives {embedding.shape} where its dims() promises "
            f"{expected} for latents of {shape}; correct the method."
        )
    return embedding


def _regions(samples: Sequence[Path]) -> Regions:
    """Return the boxes of each sample, (b, 4) as fractions of its image's width and height."""
    rows = read_samples(samples, ["boxes", "width", "height"]).to_pylist()
    return [
        np.array(row["boxes"], np.float64) / ([row["width"], row["height"]] * 2)
        if row["boxes"]
        else np.empty((0, 4))
        for row in rows
    ]


def _common_shape(method: PoolingMethod, shards: Sequence[LatentShard]) -> Shape:
    shape = shards[0].values.shape[1:]
    obstacle = method.obstacle(shape)
    if obstacle:
        raise LatentmapError(
            f"Pooling method '{method.kind}' {obstacle}, but {shards[0].path} has latents of "
            f"{shape}. Leave it out of 'methods'."
        )
    return shape


def _pool(
    method: PoolingMethod, shards: Sequence[LatentShard], regions: Regions, count: int
) -> NDArray[np.float32]:
    """Pool every latent: (count, D) float32, before the method's `finish`."""
    pooled = None
    row = 0
    for shard in shards:
        for start, block in float_blocks(shard.values):
            vectors = method.pool(block, regions[row : row + len(block)])
            _check_finite(method, block, vectors, shard, start)
            if pooled is None:
                pooled = np.empty((count, vectors.shape[1]), np.float32)
            pooled[row : row + len(block)] = vectors
            row += len(block)
    assert pooled is not None
    return pooled


def float_blocks(latents: NDArray[Any]) -> Iterator[tuple[int, Latents]]:
    """Yield the first row and the float32 values of each block of rows."""
    rows = max(1, BLOCK_BYTES // (4 * latents[0].size))
    for start in range(0, len(latents), rows):
        yield start, _float32(latents[start : start + rows])


def _float32(block: NDArray[Any]) -> Latents:
    if block.dtype != np.float16:
        return block.astype(np.float32, copy=False)
    # All 65,536 halves are known: looking them up takes half the time of converting them.
    return np.take(_halves(), block.view(np.uint16), mode="clip")


@cache
def _halves() -> NDArray[np.float32]:
    return np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)


def _check_finite(
    method: PoolingMethod,
    block: Latents,
    vectors: NDArray[np.float32],
    shard: LatentShard,
    start: int,
) -> None:
    finite = np.isfinite(vectors)
    if finite.all():
        return
    row = int(np.argmin(finite.all(axis=1)))
    which = f"'{shard.ids[start + row]}' (row {start + row} of {shard.path})"
    if np.isfinite(block[row]).all():
        raise LatentmapError(
            f"Pooling method '{method.kind}' gives values that are not finite for the latent of "
            f"{which}, which is finite. Mend the method, or leave it out of 'methods'."
        )
    raise LatentmapError(
        f"The latent of {which} is not finite. Encode it again with float32 precision, or remove "
        "the sample."
    )
