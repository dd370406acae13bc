"""From the latents of all shards to one embedding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.pool.method import PoolingMethod, Regions, Shape
from latentmap.store.latents import LatentShard, LatentShards, open_latents
from latentmap.store.samples import read_samples
from latentmap.store.tables import write_embedding_parts

# A block of latents and what a method makes of it stay in the second-level cache.
BLOCK_BYTES = 2**19


def pool_latents(
    method: PoolingMethod, latents: Sequence[Path], samples: Sequence[Path], output: Path
) -> None:
    """Pool all latents with one method and write the embedding.

    Latents are read, and vectors written, block by block; only a method that has to `finish` needs
    its vectors together.

    Args:
        method: the pooling method.
        latents: shards of latents.
        samples: the shards of samples they belong to, in the same order.
        output: the embedding's Parquet file.

    Raises:
        LatentmapError: a shard's ids are not its samples', the latents' shapes differ, the method
            is not for such latents, or the vector of a sample is not finite.
    """
    found = open_latents(latents, samples)
    if not found.count:
        raise LatentmapError("There is no latent to pool: every shard of samples is empty.")
    _check_shape(method, found)
    regions = _regions(samples) if method.needs_regions else repeat(())
    make = _finished if method.finishes() else _pooled
    parts = make(method, found, regions)
    dims, tokens = method.dims(found.shape), method.tokens(found.shape)
    write_embedding_parts(output, parts, dims, tokens)


def pool(
    method: PoolingMethod, latents: LatentShards, regions: Iterable[Regions] = repeat(())
) -> NDArray[np.float32]:
    """Pool all latents of one shape with one method.

    Args:
        method: the pooling method.
        latents: one or more.
        regions: of each shard the boxes, as for `PoolingMethod.pool`.

    Returns:
        (N, D) float32.

    Raises:
        LatentmapError: the method is not for such latents, or the vector of a sample is not
            finite.
    """
    _check_shape(method, latents)
    pooled, row = None, 0
    for ids, vectors in _pooled(method, latents, regions):
        if pooled is None:
            pooled = np.empty((latents.count, vectors.shape[1]), np.float32)
        pooled[row : row + len(ids)] = vectors
        row += len(ids)
    assert pooled is not None
    return _promised(method, latents.shape, method.finish(pooled))


Part = tuple[Sequence[str], NDArray[np.float32]]
"""Some samples' ids, (n,), and their vectors, (n, D)."""


def _finished(
    method: PoolingMethod, latents: LatentShards, regions: Iterable[Regions]
) -> Iterator[Part]:
    embedding, row = pool(method, latents, regions), 0
    for shard in latents.shards():
        yield shard.ids, embedding[row : row + len(shard.ids)]
        row += len(shard.ids)


def _pooled(
    method: PoolingMethod, latents: LatentShards, regions: Iterable[Regions]
) -> Iterator[Part]:
    """Yield the vectors of every block of latents, as they are before the method's `finish`."""
    for shard, boxes in zip(latents.shards(), regions, strict=False):
        for start, block in float_blocks(shard.values):
            here = slice(start, start + len(block))
            vectors = method.pool(block, boxes[here])
            _check_finite(method, block, vectors, shard, start)
            if not method.finishes():
                _promised(method, latents.shape, vectors)
            yield shard.ids[here], vectors


def _regions(samples: Sequence[Path]) -> Iterator[Regions]:
    """Yield for each shard that has samples their boxes.

    Of each sample they are (b, 4), fractions of its image's width and height.
    """
    for path in samples:
        rows = read_samples([path], ["boxes", "width", "height"]).to_pylist()
        if rows:
            yield [
                np.array(row["boxes"], np.float64) / ([row["width"], row["height"]] * 2)
                if row["boxes"]
                else np.empty((0, 4))
                for row in rows
            ]


def _check_shape(method: PoolingMethod, latents: LatentShards) -> None:
    obstacle = method.obstacle(latents.shape)
    if obstacle:
        first = next(iter(latents.shards()))
        raise LatentmapError(
            f"Pooling method '{method.kind}' {obstacle}, but {first.path} has latents of "
            f"{latents.shape}. Leave it out of 'methods'."
        )


def _promised(
    method: PoolingMethod, shape: Shape, vectors: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return vectors (n, D), which must be as long as the method says."""
    dims = method.dims(shape)
    if vectors.shape[1:] != (dims,):
        raise LatentmapError(
            f"Pooling method '{method.kind}' gives vectors of {vectors.shape[1:]} where its dims() "
            f"promises {dims} for latents of {shape}; correct the method."
        )
    return vectors


def float_blocks(latents: NDArray[Any]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield the first row and the float32 values of each block of rows."""
    rows = max(1, BLOCK_BYTES // (4 * latents[0].size))
    for start in range(0, len(latents), rows):
        yield start, _float32(latents[start : start + rows])


def _float32(block: NDArray[Any]) -> NDArray[np.float32]:
    if block.dtype != np.float16:
        return block.astype(np.float32, copy=False)
    # All 65,536 halves are known: looking them up takes half the time of converting them.
    return np.take(_halves(), block.view(np.uint16), mode="clip")


@cache
def _halves() -> NDArray[np.float32]:
    return np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)


def _check_finite(
    method: PoolingMethod,
    block: NDArray[np.float32],
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
