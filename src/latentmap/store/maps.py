"""Maps: where the samples of one embedding are, and what a reader of them must know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.store.files import reading
from latentmap.store.tables import (
    check_ids,
    facts_of,
    matrix,
    numbers,
    read_parquet,
    strings,
    with_facts,
    write_parquet,
)

AXES = ("x", "y", "z")


@dataclass(frozen=True)
class PlacedSamples:
    """A map as it is in its file.

    Attributes:
        ids: (N,) sample ids.
        coordinates: (N, dims) float32, dims 2 or 3.
        facts: what a reader of the map must know, as JSON values.
    """

    ids: list[str]
    coordinates: NDArray[np.float32]
    facts: Mapping[str, Any]


def write_map(
    path: Path | str, ids: Sequence[str], coordinates: NDArray[np.float32], facts: Mapping[str, Any]
) -> None:
    """Write a map as id, x, y (, z) float32, with its facts in the metadata of the schema."""
    columns: dict[str, Any] = {"id": strings(ids)}
    for axis, places in zip(AXES, coordinates.T, strict=False):
        columns[axis] = numbers(places.astype(np.float32, copy=False))
    write_parquet(path, with_facts(pa.table(columns), facts))


def read_map(path: Path | str, expected: Sequence[str] | None = None) -> PlacedSamples:
    """Read a map.

    Args:
        path: the Parquet file.
        expected: ids that its rows must have, in this order; any by default.

    Raises:
        LatentmapError: its rows are others.
    """
    table = read_parquet(path)
    with reading(path, "a map"):
        ids = table["id"].to_pylist()
    if expected is not None:
        check_ids(path, ids, expected)
    with reading(path, "a map"):
        axes = [matrix(table[axis]) for axis in AXES if axis in table.column_names]
        return PlacedSamples(ids, np.stack(axes, axis=1), facts_of(table))
