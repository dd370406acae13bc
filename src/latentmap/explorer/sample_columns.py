"""The columns that are known of samples: labels, sources, their own ones, and annotations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, count
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from latentmap.explorer.columns import About, Columns, category, column_of, number
from latentmap.explorer.everyone import Everyone
from latentmap.report.labels import RunLabels
from latentmap.samples.cells import as_text
from latentmap.samples.clean import ORIGINS
from latentmap.samples.spelling import plain_name
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import read_arrow, read_arrow_schema

SHORT = 64
"""Characters up to which values of a column are told although texts are not."""

LABEL, LABEL_GROUP = "label", "label_group"

RIGHT, WRONG = "right", "wrong"
"""What is said of an annotation that names labels."""


def add_known_columns(columns: Columns, everyone: Everyone, labels: RunLabels) -> None:
    """Add what every sample has, where it tells samples apart.

    Args:
        columns: of the explorer.
        everyone: the samples.
        labels: with the colours of their groups.
    """
    table = everyone.table
    if everyone.has_labels:
        colors = {group.name: group.color for group in labels.groups}
        grouped = any(label.name != label.group for label in labels.labels)
        columns.add(LABEL, category(table[LABEL], None if grouped else colors), "label")
        if grouped:
            columns.add(LABEL_GROUP, category(table[LABEL_GROUP], colors), "label group")
    if pc.count_distinct(table["source"]).as_py() > 1:
        columns.add("source", category(table["source"]), "source")
    groups = column_of(table["source_group"])
    if groups is not None and groups.facts.get("values", 0) > 1:
        columns.add("source_group", groups, "source group")
    for name in ("width", "height"):
        pixels = table[name].cast(pa.float64()).fill_null(np.nan).to_numpy()
        if len(np.unique(pixels[~np.isnan(pixels)])) > 1:
            columns.add(name, number(pixels, "pixels"), f"{name} of the picture")


def own_names(samples: Sequence[Path]) -> list[str]:
    """Return the names of the columns that samples have of their own, in their order."""
    core = {*SCHEMA.names, *ORIGINS}
    names = (field.name for path in samples for field in _told(path))
    return [name for name in dict.fromkeys(names) if name not in core]


def _told(path: Path) -> list[pa.Field]:
    """Return the columns of a shard that are no bytes."""
    return [
        field
        for field in read_arrow_schema(path)
        if not (pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type))
    ]


def own_column(samples: Sequence[Path], name: str) -> pa.ChunkedArray:
    """Return one of the samples' own columns; null in shards that do not have it."""
    found = []
    for path in samples:
        has = name in read_arrow_schema(path).names
        table = read_arrow(path, [name if has else "id"])
        found.append(table[name] if has else pa.chunked_array([pa.nulls(len(table))]))
    kinds = {column.type for column in found} - {pa.null()}
    if len(kinds) > 1:
        found = [_as_texts(column) for column in found]
        kinds = {pa.string()}
    kind = kinds.pop() if kinds else pa.null()
    return pa.chunked_array([chunk for column in found for chunk in column.cast(kind).chunks], kind)


def _as_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([[as_text(value) for value in column.to_pylist()]], pa.string())


class Titles:
    """Titles of columns, no two alike.

    Args:
        taken: those that others have.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {*taken}

    def of(self, name: str, about: About) -> str:
        """Return the title of a column: its name, with what sets it apart from others so called."""
        plain = plain_name(name)
        kind = "own column" if about == "sample" else about
        numbered = (f"{plain} ({kind} {number})" for number in count(2))
        tried = chain([plain, f"{plain} ({kind})"], numbered)
        title = next(title for title in tried if title not in self._taken)
        self._taken.add(title)
        return title


def add_column(
    columns: Columns, name: str, title: str, values: pa.ChunkedArray, about: About, text: bool
) -> bool:
    """Add a column to colour by if it is one; return whether it may be told of each sample.

    Args:
        columns: of the explorer.
        name: of the column.
        title: what a reader calls it.
        values: (N,), in the samples' order.
        about: what it says something of.
        text: whether texts are told.
    """
    if not text and _is_long(values):
        return False
    column = column_of(values)
    if column is not None:
        prefix = "own" if about == "sample" else about
        columns.add(f"{prefix}::{name}", column, title, about=about)
    return text or column is not None


def says_the_text(samples: Sequence[Path], values: pa.ChunkedArray) -> bool:
    """Return whether a column repeats the texts: it is no shorter, and alike where they are.

    A conversation is often kept in a column of its own beside the text that was made of it.
    """
    if not _is_long(values):
        return False
    texts = own_column(samples, "text")
    if pa.types.is_null(texts.type) or _mean_length(values) < _mean_length(texts):
        return False
    pairs = pa.table({"value": values, "text": texts}).group_by(["value", "text"]).aggregate([])
    return len(pairs) == len(pc.unique(pairs["value"])) == len(pc.unique(pairs["text"]))


def _mean_length(texts: pa.ChunkedArray) -> float:
    return float(pc.mean(pc.utf8_length(texts)).as_py() or 0)


def add_verdicts(columns: Columns, everyone: Everyone, annotations: pa.Table) -> None:
    """Add whether annotations that name labels are right: those of which most are labels.

    Args:
        columns: of the explorer.
        everyone: the samples, in the order of the annotations.
        annotations: columns of texts, null where a sample has none.
    """
    titles = Titles(column["title"] for column in columns.entries)
    for name in annotations.column_names:
        said = annotations[name]
        truth = _named(said, everyone.table)
        if truth is None:
            continue
        verdict = pc.if_else(pc.equal(said, truth), RIGHT, WRONG)
        title = titles.of(f"{name}: {RIGHT} or {WRONG}", "annotation")
        columns.add(f"verdict::{name}", category(verdict), title, about="annotation")


def _named(said: pa.ChunkedArray, samples: pa.Table) -> pa.ChunkedArray | None:
    """Return the labels, or their groups, that a column names; None if it does not name them."""
    if not pa.types.is_string(said.type):
        return None
    for kind in (LABEL, LABEL_GROUP):
        truth = samples[kind].cast(pa.string())
        names = pc.unique(truth).drop_null()
        known = pc.sum(pc.is_in(said, names, skip_nulls=True)).as_py() or 0
        if len(names) > 1 and 2 * known > len(said) - said.null_count:
            return truth
    return None


def _is_long(values: pa.ChunkedArray) -> bool:
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return False
    longest = pc.max(pc.utf8_length(values)).as_py()
    return longest is not None and longest > SHORT
