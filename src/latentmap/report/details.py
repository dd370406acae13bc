"""All that is known of the samples that maps show, uncut: pages load it when one is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.draw.colors import OKABE_ITO
from latentmap.samples.cells import as_text
from latentmap.samples.clean import ORIGINS
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import check_ids, read_arrow, read_arrow_schema, read_parquet

PLACES = 4
"""Decimals of a place in a picture: finer than a pixel of any screen."""

CORE = {"source": "source", "source_group": "source group", "width": "width", "height": "height"}
"""Of what every sample has: what the panel has no place of its own for, and how it is called."""


def read_details(
    samples: Sequence[Path | str],
    rows: NDArray[np.intp],
    annotations: Path | str | None = None,
) -> dict[str, Any]:
    """Read the whole text and all columns of some samples, as text.

    Args:
        samples: shards of samples; a column that some do not have is null in their rows.
        rows: numbers of the samples over all shards, ascending.
        annotations: what is joined to the samples, if anything is.

    Returns:
        `text` (n,); `boxes` (n,) as fractions of the picture, and `box_colors`; and `columns`: (n,)
        by name, null where a sample has none, without those that none has.

    Raises:
        LatentmapError: a file is damaged, or the annotations do not belong to the samples.
    """
    texts: list[str | None] = []
    boxes: list[list[list[float]]] = []
    columns: dict[str, list[str | None]] = {}
    ids: list[str] = []
    for path in samples:
        names = [field.name for field in read_arrow_schema(path) if _is_told(field)]
        table = read_arrow(path, ["id", "text", "boxes", *names])
        here = pa.array(rows[(rows >= len(ids)) & (rows < len(ids) + len(table))] - len(ids))
        ids += table["id"].to_pylist()
        chosen = table.take(here)
        for name in names:
            column = columns.setdefault(CORE.get(name, name), [None] * len(texts))
            column += map(as_text, chosen[name].to_pylist())
        texts += chosen["text"].to_pylist()
        boxes += map(_fractions, chosen.select(["boxes", "width", "height"]).to_pylist())
        for column in columns.values():
            column += [None] * (len(texts) - len(column))
    if annotations is not None:
        joined = read_parquet(annotations)
        check_ids(annotations, joined["id"].to_pylist(), ids)
        for name in joined.column_names[1:]:
            free = name if name not in columns else f"annotation.{name}"
            columns[free] = joined[name].take(pa.array(rows)).to_pylist()
    told = {name: column for name, column in columns.items() if any(column)}
    return {"text": texts, "boxes": boxes, "box_colors": OKABE_ITO, "columns": told}


def _fractions(sample: Mapping[str, Any]) -> list[list[float]]:
    """Return the boxes of a sample (x0, y0, x1, y1) as fractions of its picture's sides."""
    sides = 2 * (sample["width"], sample["height"])
    if not all(sides):
        return []
    return [
        [round(place / side, PLACES) for place, side in zip(box, sides, strict=True)]
        for box in sample["boxes"] or ()
    ]


def _is_told(field: pa.Field) -> bool:
    is_core = field.name in SCHEMA.names and field.name not in CORE
    is_binary = pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)
    return not (is_core or is_binary or field.name in ORIGINS)
