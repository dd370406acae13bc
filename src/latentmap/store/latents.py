"""Shards of latents: id + fixed-shape tensor, memory-mapped without a copy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.store.files import reading
from latentmap.store.samples import read_samples
from latentmap.store.tables import (
    METADATA_KEY,
    check_ids,
    facts_of,
    matrix,
    numbers,
    one_chunk,
    read_arrow,
    read_arrow_schema,
    strings,
    write_arrow,
)

STRIP = 4
"""Feature maps that are so many times longer than wide are no pictures'."""


@dataclass(frozen=True)
class LatentShard:
    """The latents of one shard of samples.

    Attributes:
        path: its file.
        ids: (n,) sample ids.
        values: (n, C, H, W) or (n, D), float16 or float32; a view of the file, read-only.
        metadata: what the encoder left with them (its calibration).
    """

    path: Path
    ids: list[str]
    values: NDArray[Any]
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class LatentShards:
    """All latents of one encoder and variant, of which one shard after the other is mapped.

    Attributes:
        count: N.
        shape: of each, (C, H, W) or (D,).
        dtype: float16 or float32.
        shards: gives the shards that have rows, in their order.
    """

    count: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    shards: Callable[[], Iterable[LatentShard]]


def channels_seem_last(shape: Sequence[int]) -> bool:
    """Return whether feature maps (N, C, H, W) are rather (N, H, W, C), by their shape.

    They are if the last axis alone differs from the others, or if what would be height and width
    is a strip and the axes before are not.
    """
    if len(shape) != 4 or 0 in shape:
        return False
    _, first, second, last = shape
    if first == second:
        return second != last
    longest, shortest = max(second, last), min(second, last)
    return longest >= STRIP * shortest and max(first, second) < 2 * min(first, second)


def write_latents(
    path: Path | str,
    ids: Sequence[str],
    values: NDArray[Any],
    metadata: Mapping[str, Any],
    written: Path | None = None,
) -> None:
    """Write one shard of latents as a single record batch.

    Args:
        path: the Arrow IPC file.
        ids: (n,) sample ids.
        values: (n, C, H, W) or (n, D), float16 or float32.
        metadata: JSON-serialisable; stored in the schema.
        written: where it is written, if it is to be moved to `path` later.
    """
    tensor = pa.fixed_shape_tensor(pa.from_numpy_dtype(values.dtype), values.shape[1:])
    size = int(np.prod(values.shape[1:]))
    storage = pa.FixedSizeListArray.from_arrays(numbers(values), size)
    column = pa.ExtensionArray.from_storage(tensor, storage)
    schema = pa.schema(
        [pa.field("id", pa.string()), pa.field("latent", tensor)],
        metadata={METADATA_KEY: json.dumps(metadata, sort_keys=True)},
    )
    batch = pa.record_batch([strings(ids), column], schema=schema)
    write_arrow(path, pa.Table.from_batches([batch]), written)


def read_latents(path: Path | str) -> LatentShard:
    """Memory-map one shard of latents."""
    table = read_arrow(path, ["id", "latent"])
    column = one_chunk(table["latent"])
    with reading(path, "a shard of latents"):
        values = matrix(column.storage).reshape(len(table), *column.type.shape)
    return LatentShard(
        path=Path(path),
        ids=table["id"].to_pylist(),
        values=values,
        metadata=facts_of(table),
    )


def open_latents(latents: Sequence[Path | str], samples: Sequence[Path | str]) -> LatentShards:
    """Open all shards of latents; an empty one may not know its shape.

    Their values are checked when they are read, shard by shard.

    Args:
        latents: the shards.
        samples: the shards of samples they belong to, in the same order.

    Raises:
        LatentmapError: a shard's ids are not its samples', or shards differ in shape or number
            format.
    """
    full: list[Path | str] = []
    count, first = 0, _Kind((1,), np.dtype(np.float32))
    for path, sample_path in zip(latents, samples, strict=True):
        ids = read_arrow(path, ["id"])["id"].to_pylist()
        check_ids(path, ids, read_samples([sample_path], ["id"])["id"].to_pylist())
        if not ids:
            continue
        kind = _read_kind(path)
        first = first if full else kind
        if kind != first:
            raise LatentmapError(
                f"{path} has latents of {kind} where {full[0]} has {first}. "
                "Encode all shards with the same options."
            )
        full.append(path)
        count += len(ids)
    return LatentShards(count, first.shape, first.dtype, lambda: map(read_latents, full))


class _Kind(NamedTuple):
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __str__(self) -> str:
        return f"{self.shape} {self.dtype}"


def _read_kind(path: Path | str) -> _Kind:
    """Read the shape and the number format of one shard of latents, and none of them."""
    tensor = read_arrow_schema(path).field("latent").type
    with reading(path, "a shard of latents"):
        return _Kind(tuple(tensor.shape), np.dtype(tensor.value_type.to_pandas_dtype()))


def read_metadata(path: Path | str) -> dict[str, Any]:
    """Read what the encoder left with one shard of latents, and none of them."""
    return facts_of(read_arrow_schema(path))
