"""Latents and embeddings in the formats of other tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from latentmap.export.arrays import FORMATS, Rows, write_npz
from latentmap.export.caches import cache_comment, cache_thumbnails
from latentmap.store.latents import open_latents
from latentmap.store.samples import read_samples
from latentmap.store.tables import check_ids, embedding_parts, read_dims, read_parquet

FilePath = Path | str


def export_latents(
    latents: Sequence[FilePath],
    samples: Sequence[FilePath],
    thumbnails: Sequence[FilePath],
    outputs: Mapping[str, FilePath],
) -> None:
    """Write the latents of one encoder and variant, in the number format that they are stored in.

    Args:
        latents: shards of latents.
        samples: their shards of samples, in the same order.
        thumbnails: their shards of JPEGs (id, jpeg), in the same order.
        outputs: the file to write in each format of `FORMATS`.

    Raises:
        LatentmapError: a shard's rows are not the samples, or shards differ in shape or number
            format.
    """
    _write(_latents(latents, samples, thumbnails), outputs)


def export_cache(
    latents: Sequence[FilePath],
    samples: Sequence[FilePath],
    thumbnails: Sequence[FilePath],
    output: FilePath,
    run: str,
) -> None:
    """Write the latents of one encoder and variant as the first scripts did, in float32.

    Args:
        latents: shards of latents.
        samples: their shards of samples, in the same order.
        thumbnails: their shards of JPEGs (id, jpeg), in the same order.
        output: the `.npz` file.
        run: name of the run, by which the file is known as its own; see `cache_of`.

    Raises:
        LatentmapError: as `export_latents`.
    """
    rows = _latents(latents, samples, thumbnails)
    as_float32 = replace(
        rows,
        dtype=np.dtype(np.float32),
        parts=lambda: (part.astype(np.float32, copy=False) for part in rows.parts()),
    )
    write_npz(output, as_float32, cache_comment(run))


def export_embedding(
    embedding: FilePath, samples: Sequence[FilePath], outputs: Mapping[str, FilePath]
) -> None:
    """Write one embedding, (N, D) float32.

    Args:
        embedding: Parquet file of the embedding.
        samples: shards of samples.
        outputs: the file to write in each format of `FORMATS`.

    Raises:
        LatentmapError: the embedding's rows are not the samples.
    """
    ids = read_parquet(embedding, ["id"])["id"].to_pylist()
    check_ids(embedding, ids, read_samples(samples, ["id"])["id"].to_pylist())
    shape = (len(ids), read_dims(embedding))
    parts = partial(embedding_parts, embedding)
    _write(Rows("embeddings", np.dtype(np.float32), shape, parts, samples), outputs)


def _latents(
    latents: Sequence[FilePath], samples: Sequence[FilePath], thumbnails: Sequence[FilePath]
) -> Rows:
    found = open_latents(latents, samples)
    return Rows(
        "latents",
        found.dtype,
        (found.count, *found.shape),
        lambda: (shard.values for shard in found.shards()),
        samples,
        partial(cache_thumbnails, thumbnails, samples),
    )


def _write(rows: Rows, outputs: Mapping[str, FilePath]) -> None:
    for name, path in outputs.items():
        FORMATS[name](path, rows)
