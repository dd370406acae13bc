"""Columns to colour, size and filter by: categories, and numbers with their percentile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.explorer.site import Site
from latentmap.metrics.ranks import mean_ranks
from latentmap.samples.cells import as_text
from latentmap.samples.spelling import plain_name
from latentmap.store.tables import numbers

MOST_VALUES = 2**16 - 1
"""A column of more values is no category."""

FEW_VALUES = 100
"""A column of more values than this is none either, if they are more than half of the samples."""

LONGEST = 300
"""Characters of a value that are kept."""

About = Literal["sample", "annotation", "method", "map"]

NO_PERCENTILE = 2**16 - 1
HIGHEST_PERCENTILE = 10_000


@dataclass(frozen=True)
class Column:
    """One value of every sample.

    Attributes:
        table: as it is stored.
        facts: what the manifest says of its values.
    """

    table: pa.Table
    facts: dict[str, Any]


class Columns:
    """The columns of an explorer.

    Args:
        site: the explorer.

    Attributes:
        entries: what the manifest says of each, in the order in which they were added.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self.entries: list[dict[str, Any]] = []

    def add(
        self,
        known: str,
        column: Column,
        title: str,
        description: str | None = None,
        about: About = "sample",
        of: str | None = None,
    ) -> str:
        """Write a column; return its id.

        Args:
            known: its id.
            column: its values.
            title: what a reader calls it.
            description: what it says, in a sentence.
            about: what it says something of.
            of: id of that method or map.
        """
        entry = {
            "id": known,
            "title": plain_name(title),
            "description": description,
            "about": about,
            "of": of,
            **self._site.write(f"columns/{len(self.entries)}.arrow", column.table),
            **column.facts,
        }
        self.entries.append(entry)
        return known


def column_of(values: pa.ChunkedArray) -> Column | None:
    """Return a column of texts, numbers or truth values; None if it is none to colour by.

    A column of texts that are all numbers is one of numbers. A column of nothing, of nested values,
    or of texts of which most are their sample's own is none.
    """
    kind = values.type
    if pa.types.is_nested(kind) or pa.types.is_null(kind) or values.null_count == len(values):
        return None
    found = _as_numbers(values)
    if found is not None:
        return number(found)
    texts = values
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        texts = pa.chunked_array([[as_text(value) for value in values.to_pylist()]], pa.string())
    column = category(texts)
    is_one = column.facts["values"] <= min(MOST_VALUES, max(FEW_VALUES, len(texts) / 2))
    return column if is_one else None


def _as_numbers(values: pa.ChunkedArray) -> NDArray[np.float64] | None:
    """Return values as numbers, NaN for none; None if they are not all numbers."""
    kind = values.type
    if pa.types.is_boolean(kind):
        return None
    try:
        found = values.cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return found.fill_null(np.nan).combine_chunks().to_numpy(zero_copy_only=False)


def category(texts: pa.ChunkedArray, colors: Mapping[str, str] | None = None) -> Column:
    """Return a column of categories.

    Its dictionary has the values by their size, equal ones by name; null, where samples have none,
    is the last.

    Args:
        texts: (N,), null where a sample has none.
        colors: of all values, as #rrggbb; those of the palette by default.
    """
    encoded = texts.combine_chunks().dictionary_encode()
    names = encoded.dictionary.to_pylist()
    codes = encoded.indices.fill_null(len(names)).to_numpy()
    counts = np.bincount(codes, minlength=len(names) + 1)
    order = sorted(range(len(names)), key=lambda code: (-counts[code], names[code]))
    place = np.empty(len(names) + 1, np.int64)
    place[[*order, len(names)]] = np.arange(len(names) + 1)
    shown: list[str | None] = [_shortened(names[code]) for code in order]
    missing = int(counts[-1])
    if missing:
        shown.append(None)
    smallest = np.min_scalar_type(-len(shown))
    values = pa.DictionaryArray.from_arrays(
        numbers(place[codes].astype(smallest)), pa.array(shown, pa.string())
    )
    facts = {
        "kind": "category",
        "missing": missing,
        "values": len(names),
        "colors": colors and [colors[names[code]] for code in order],
    }
    return Column(pa.table({"value": values}), facts)


def number(values: NDArray[np.floating[Any]], unit: str | None = None) -> Column:
    """Return a column of numbers.

    Args:
        values: (N,); NaN where a sample has none.
        unit: of the values, if they have one.
    """
    exact = values.astype(np.float64)
    with np.errstate(over="ignore"):
        single = exact.astype(np.float32)
    known = ~np.isnan(exact)
    kept = single if (single[known] == exact[known]).all() else exact
    finite = exact[np.isfinite(exact)]
    facts = {
        "kind": "number",
        "missing": int((~known).sum()),
        "low": float(finite.min()) if len(finite) else None,
        "high": float(finite.max()) if len(finite) else None,
        "whole": bool((finite == np.rint(finite)).all()),
        "unit": unit,
    }
    table = pa.table({"value": numbers(kept), "percentile": numbers(percentile(exact))})
    return Column(table, facts)


def percentile(values: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Return the percentile rank among all others in hundredths, (N,); ties share the mean.

    `NO_PERCENTILE` stands for NaN.
    """
    found = np.full(len(values), NO_PERCENTILE, np.uint16)
    known = ~np.isnan(values)
    count = int(known.sum())
    if count == 1:
        found[known] = HIGHEST_PERCENTILE // 2
    elif count:
        ranks = mean_ranks(values[known])
        found[known] = np.rint(HIGHEST_PERCENTILE * ranks / (count - 1))
    return found


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
