"""Coordinates of maps as `.npy` beside the caches that they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.samples.caches import EmbeddingCache
from latentmap.samples.spelling import plain_name
from latentmap.store.files import atomic
from latentmap.store.maps import read_map


def export_coords(
    maps: Sequence[Path | str], cache: Path | str, column: str, outputs: Sequence[Path | str]
) -> None:
    """Write the coordinates of maps in the order of a cache's `metadata.csv`.

    Args:
        maps: Parquet files of the maps.
        cache: folder of the cache.
        column: the column of `metadata.csv` that holds the samples' ids.
        outputs: for each map the `.npy` file to write: (N, dims) float32, NaN in the rows that are
            not on the map because they were set aside.

    Raises:
        LatentmapError: a sample on a map is no row of the cache.
    """
    ids = EmbeddingCache(Path(cache)).ids(column)
    names = [key and plain_name(key) for key in ids]
    for source, output in zip(maps, outputs, strict=True):
        found = read_map(source)
        coords = in_order(found.ids, found.coordinates, names, str(cache))
        content = BytesIO()  # to a file, NumPy would not say why it cannot write
        np.save(content, coords)
        with atomic(output) as temporary:
            temporary.write_bytes(content.getvalue())


def in_order(
    ids: Sequence[str], points: NDArray[np.float32], names: Sequence[str | None], origin: str
) -> NDArray[np.float32]:
    """Return the points of samples in the order of other rows, (len(names), dims) float32.

    Args:
        ids: (n,) samples that are on the map.
        points: (n, dims) where they are.
        names: ids of all rows, null for those that have none.
        origin: what the rows are of, for the message.

    Raises:
        LatentmapError: a sample is no row.
    """
    rows = {name: row for row, name in enumerate(names)}
    strange = next((name for name in ids if name not in rows), None)
    if strange is not None:
        raise LatentmapError(f"{origin} has no row '{strange}'. It has changed; run again.")
    coords = np.full((len(names), points.shape[1]), np.nan, np.float32)
    coords[[rows[name] for name in ids]] = points
    return coords


def place_files(contents: Mapping[Path, bytes], overwrite: bool) -> None:
    """Write files to where they belong, all of them or none.

    Args:
        contents: of every file.
        overwrite: replace files that are there already and differ.

    Raises:
        LatentmapError: there is nothing to write, or a file with another content is there.
    """
    if not contents:
        raise LatentmapError(
            "The run has no maps of an encoder 'embedding_cache' with an 'input': there is no "
            "cache to put coordinates beside."
        )
    written = {target for target, content in contents.items() if _content(target) != content}
    differing = sorted(str(target) for target in written if target.exists())
    if differing and not overwrite:
        raise LatentmapError(
            f"There already, with other content: {', '.join(differing)}. Nothing was written. "
            "Move them, or set 'export: {overwrite: true}'."
        )
    for target in sorted(written):
        with atomic(target) as temporary:
            temporary.write_bytes(contents[target])


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
