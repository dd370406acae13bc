"""The samples that maps show, and where the maps place them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.report.colorings import MOST_VALUES, Coloring, colorings, label_coloring
from latentmap.report.labels import NO_LABEL
from latentmap.samples.cells import as_text
from latentmap.samples.clean import ORIGINS
from latentmap.store.maps import AXES, read_map
from latentmap.store.samples import SCHEMA, evenly_spaced, read_samples
from latentmap.store.tables import check_ids, matrix, read_arrow, read_arrow_schema, read_parquet

BY_GROUP = "group"
"""What colours maps at first by default: the label group."""

TEXT_LENGTH = 300
CELL_LENGTH = 160

OWN_LENGTH = 80

MOST_COLUMNS = 12
"""So many of the samples' own columns show on hover, those first that can colour maps."""

NEIGHBORS_SHOWN = 8
"""Nearest neighbors that an opened sample shows."""

CORE = frozenset({*SCHEMA.names, *ORIGINS})
"""Columns of samples that maps do not show as the samples' own."""

# What a tooltip has rows for itself, or shows as something else than a row.
OWN_NAMES = {
    *("title", "image", "label", "group", "source", "id", "trust", "text"),
    *("density percentile", "density, % of its range"),
}

Points = dict[str, list[float]]


@dataclass(frozen=True)
class ShownSamples:
    """The samples of a run that maps show.

    Attributes:
        ids: (N,) ids of all samples, in their order.
        rows: positions in `ids` of those that are shown.
        content: what a page needs of those that are shown, column by column: id, label and group
            (both `NO_LABEL` where a sample has none), text, and, if they were read, image
            (position in `images`, -1 for none) and images (data URIs, each once).
        further: further columns of those that are shown, by name: the source where there are
            several, annotations, and columns of their own; None where a sample has none.
        color_by: what colours maps at first: `group`, `label` or one of the further columns.
        targets: values of targets by their titles, which colour maps and are not told on hover.
    """

    ids: list[str]
    rows: NDArray[np.intp]
    content: dict[str, list[Any]]
    further: dict[str, list[str | None]] = field(default_factory=dict)
    color_by: str = BY_GROUP
    targets: dict[str, list[str | None]] = field(default_factory=dict)

    @cached_property
    def columns(self) -> dict[str, list[str | None]]:
        """All columns that may colour a map."""
        return {**self.further, **self.targets}

    @cached_property
    def colorings(self) -> list[Coloring]:
        """What can colour a map beside label groups: labels where these are more, and columns."""
        labels = self.content["label"]
        own = label_coloring(labels) if labels != self.content["group"] else None
        told = [one for one in colorings(self.columns) if not self._is_text(one.title)]
        return [*([own] if own else []), *told]

    def _is_text(self, name: str) -> bool:
        """Whether a column repeats the texts: it is no shorter, and alike where they are."""
        texts, values = self.content["text"], [value or "" for value in self.columns[name]]
        long = sum(map(len, values)) >= sum(min(len(text), OWN_LENGTH) for text in texts)
        return long and len({*values}) == len({*texts}) == len({*zip(values, texts, strict=True)})

    @property
    def everything(self) -> dict[str, Any]:
        """All that a page needs to know of them, as JSON values."""
        codes = {
            c.key: {"values": c.values, "colors": c.colors, "codes": c.codes}
            for c in self.colorings
        }
        columns = {"further": self.further, "targets": self.targets}
        return {**self.content, **columns, "colorings": codes}

    def beyond(self, most: int) -> dict[str, Any]:
        """Return what a page must say of them that is not shared by all pages of a report.

        Shared are at most `most` of all samples, evenly spaced. Of just these there is nothing to
        say, of some of them which they are (`rows`), of others everything.
        """
        shared = evenly_spaced(len(self.ids), most)
        if np.array_equal(self.rows, shared):
            return {}
        if set(self.rows.tolist()) <= set(shared.tolist()):
            rows = np.searchsorted(shared, self.rows).tolist()
            return {"rows": rows, "further": self.further, "targets": {}, "colorings": {}}
        return self.everything


def read_shown_samples(
    samples: Sequence[Path | str],
    thumbnails: Sequence[Path | str] | None,
    max_points: int,
    annotations: Path | str | None = None,
    color_by: str = BY_GROUP,
) -> ShownSamples:
    """Read what maps show of a run's samples.

    Args:
        samples: shards of samples.
        thumbnails: their shards of JPEGs (id, jpeg), in the same order; none for no images.
        max_points: of more samples than this, evenly spaced ones are shown.
        annotations: what is joined to the samples, if anything is.
        color_by: what colours maps at first.

    Raises:
        LatentmapError: thumbnails or annotations do not belong to the samples.
    """
    table = read_samples(samples, ["id", "source"])
    rows = evenly_spaced(len(table), max_points)
    shown = read_samples_at(rows, samples, thumbnails)
    further = {}
    if len(set(table["source"].to_pylist())) > 1:
        further["source"] = _chosen(table["source"], rows)
    if annotations is not None:
        further |= _read_annotations(annotations, shown)
    own = _own_columns(samples, rows)
    further |= {f"own.{n}" if n in further else n: column for n, column in own.items()}
    return replace(shown, further=further, color_by=color_by)


def _own_columns(
    samples: Sequence[Path | str], rows: NDArray[np.intp]
) -> dict[str, list[str | None]]:
    """Read those of the samples' own columns that tell them apart, as text.

    The fields of a struct are columns, too; a column that some shards lack is None in their rows.

    Args:
        samples: shards of samples.
        rows: numbers of samples, ascending.
    """
    found: dict[str, list[Any]] = {}
    start = 0
    for path in samples:
        names = [name for name in read_arrow_schema(path).names if name not in CORE]
        table = read_arrow(path, ["id", *names])
        here = rows[(rows >= start) & (rows < start + len(table))] - start
        done = int(np.searchsorted(rows, start))
        flat = table.drop_columns("id").flatten()
        for name in plain_columns(flat.schema):
            values = found.setdefault(name, [None] * len(rows))
            values[done : done + len(here)] = _chosen(flat[name], here)
        start += len(table)
    told = {
        own_name(name): [_cell(v, OWN_LENGTH) for v in values] for name, values in found.items()
    }
    telling = [name for name, values in told.items() if len(set(values) - {None}) > 1]
    first = sorted(telling, key=lambda name: len(set(told[name]) - {None}) > MOST_VALUES)
    chosen = set(first[:MOST_COLUMNS])
    return {name: values for name, values in told.items() if name in chosen}


def plain_columns(schema: pa.Schema) -> list[str]:
    """Return the columns of samples, the fields of structs taken apart, that maps can show."""
    return [one.name for one in schema if one.name not in CORE and _is_plain(one.type)]


def own_name(name: str) -> str:
    """Return what maps call a column of the samples."""
    return f"own.{name}" if name in OWN_NAMES else name


def joined_name(name: str) -> str:
    """Return what maps call a column of the annotations."""
    return f"annotation.{name}" if name in OWN_NAMES else name


def _is_plain(kind: pa.DataType) -> bool:
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    return is_text or is_number or pa.types.is_boolean(kind) or pa.types.is_null(kind)


def _cell(value: Any, most: int = CELL_LENGTH) -> str | None:
    text = as_text(value)
    return None if text is None else _shorten(text, most)


def _read_annotations(path: Path | str, shown: ShownSamples) -> dict[str, list[str | None]]:
    table = read_parquet(path)
    check_ids(path, table["id"].to_pylist(), shown.ids)
    return {
        joined_name(name): [_cell(value) for value in _chosen(table[name], shown.rows)]
        for name in table.column_names
        if name != "id"
    }


def read_samples_at(
    rows: NDArray[np.intp],
    samples: Sequence[Path | str],
    thumbnails: Sequence[Path | str] | None,
) -> ShownSamples:
    """Read what a page shows of some of a run's samples.

    Args:
        rows: their numbers over all shards, ascending.
        samples: shards of samples.
        thumbnails: their shards of JPEGs (id, jpeg), in the same order; none for no images.

    Raises:
        LatentmapError: thumbnails do not belong to the samples.
    """
    table = read_samples(samples, ["id", "label", "label_group", "text"])
    labels, groups = (
        [value or NO_LABEL for value in _chosen(table[name], rows)]
        for name in ("label", "label_group")
    )
    ids: list[str] = table["id"].to_pylist()
    pictures = {} if thumbnails is None else _images(samples, thumbnails, rows)
    return ShownSamples(
        ids=ids,
        rows=rows,
        content={
            "id": _chosen(table["id"], rows),
            "label": labels,
            "group": groups,
            "text": [_shorten(text) for text in _chosen(table["text"], rows)],
            **pictures,
        },
    )


def _chosen(column: pa.ChunkedArray, rows: NDArray[np.intp]) -> list[Any]:
    # `take` of NumPy indices imports pandas, which takes longer than to write a page.
    return [column[row].as_py() for row in rows.tolist()]


def _shorten(text: str | None, most: int = TEXT_LENGTH) -> str:
    text = text or ""
    return text if len(text) <= most else text[: most - 1] + "…"


def _images(
    samples: Sequence[Path | str], thumbnails: Sequence[Path | str], rows: NDArray[np.intp]
) -> dict[str, list[Any]]:
    """Return for each row the position of its image (-1 for none), and the images as data URIs."""
    position: dict[bytes, int] = {}
    image: list[int] = []
    start = 0
    for shard, path in zip(samples, thumbnails, strict=True):
        expected = read_arrow(shard, ["id"])["id"].to_pylist()
        table = read_arrow(path, ["id", "jpeg"])
        check_ids(path, table["id"].to_pylist(), expected)
        here = rows[(rows >= start) & (rows < start + len(expected))] - start
        image += [
            -1 if jpeg is None else position.setdefault(jpeg, len(position))
            for jpeg in _chosen(table["jpeg"], here)
        ]
        start += len(expected)
    uris = ["data:image/jpeg;base64," + base64.b64encode(jpeg).decode() for jpeg in position]
    return {"image": image, "images": uris}


def read_points(path: Path | str, shown: ShownSamples) -> Points:
    """Read the coordinates of the shown samples: x, y and, of a 3D map, z.

    Raises:
        LatentmapError: the projection's ids are not the samples'.
    """
    return read_places(path, shown.ids, shown.rows)


def read_places(path: Path | str, ids: Sequence[str], rows: NDArray[np.intp]) -> Points:
    """Read the coordinates of some of the samples with these ids, as `read_points` does."""
    places = read_map(path, ids).coordinates[rows]
    return {axis: _rounded(values) for axis, values in zip(AXES, places.T, strict=False)}


def read_shown_neighbors(path: Path | str, shown: ShownSamples) -> dict[str, list[Any]]:
    """Read the nearest neighbors of the shown samples, of all source groups.

    Returns:
        `indices`, their positions among those that are shown, -1 where there are fewer; those of
        others go on from -2 downwards, into `others`, their ids; and `distances`.

    Raises:
        LatentmapError: the graph's ids are not the samples'.
    """
    table = read_parquet(path, ["id", "indices", "distances"])
    check_ids(path, table["id"].to_pylist(), shown.ids)
    nearest = matrix(table["indices"])[shown.rows, :NEIGHBORS_SHOWN]
    others = np.setdiff1d(nearest, [*shown.rows, -1])
    # The last place is that of a neighbor that is not there, -1.
    places = np.full(len(shown.ids) + 1, -1)
    places[shown.rows] = np.arange(len(shown.rows))
    places[others] = -2 - np.arange(len(others))
    indices = places[nearest]
    distances = matrix(table["distances"])[shown.rows, :NEIGHBORS_SHOWN]
    told = [[f"{value:.3g}" for value in row] for row in distances]
    return {
        "indices": indices.tolist(),
        "distances": told,
        "others": [shown.ids[row] for row in others],
    }


def _rounded(values: NDArray[np.float32]) -> list[float]:
    """Return six digits of each coordinate: no screen shows more."""
    return [float(f"{value:.6g}") for value in values]
