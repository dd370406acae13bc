"""From a source's own columns to what a sample has: which column holds what."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any, Self

import pyarrow as pa
from pydantic import model_validator

from latentmap.config import Options, unknown
from latentmap.errors import LatentmapError
from latentmap.samples.cells import as_mapping, as_text, cells, inside, is_blank, split_path
from latentmap.samples.conversations import as_prose
from latentmap.samples.spelling import plain_name
from latentmap.samples.tables.file import HIDDEN, LINE

OR = " | "
"""Between the paths of which the first that holds something counts."""

QUOTED = re.compile(r"""(["'])(.+)\1""")
"""What stands last among paths for rows in which none of them holds something."""

NAMES = ("label", "label_group", "source_group")
"""Roles that may have such a text."""


class ColumnMap(Options):
    """Which column of the source holds what; a dot leads into a nested value, null maps nothing.

    `prompt | messages` is the first of these columns that has something. A label, label group or
    source group may end in a text in quotes, for rows where none has: `src | "unknown"`.

    Attributes:
        id: unique name of the row; made of the row's number if not mapped.
        label: the class under study; null for data without labels.
        label_group: its coarser class; the run's `label_groups` if not mapped.
        source_group: what must not leak; the id if not mapped.
        text: the text, or the question about the image; `[title, description]` joins the texts of
            several columns, one below the other. A conversation is read as one `role: content` a
            line, however it is stored.
        boxes: of the image as it is stored, before any EXIF rotation; four numbers each, in the
            unit and layout that `boxes` beside `columns` says or that is judged.
        image: bytes, a `{bytes, path}` struct, or the path of a file; of several columns, the
            first that holds one.
    """

    id: str | None = None
    label: str | None = None
    label_group: str | None = None
    source_group: str | None = None
    text: str | tuple[str, ...] | None = None
    boxes: str | None = None
    image: str | tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _group_labels_only(self) -> Self:
        given = "label_group" in self.model_fields_set and self.label_group is not None
        if given and self.label is None:
            raise ValueError("label_group is a class of labels; map 'label' too, or leave it out")
        return self

    @model_validator(mode="after")
    def _quoted_last(self) -> Self:
        for role in ColumnMap.model_fields:
            given = getattr(self, role) or ()
            for part in (given,) if isinstance(given, str) else given:
                quoted = [bool(QUOTED.fullmatch(path.strip())) for path in part.split(OR)]
                if any(quoted[:-1]) or (any(quoted) and role not in NAMES):
                    raise ValueError(
                        f"{role}: a text in quotes stands last, and only for {', '.join(NAMES)}"
                    )
        return self

    def paths(self) -> dict[str, tuple[str, ...]]:
        """Return all paths of every role."""
        return {role: tuple(chain(*self.parts(role))) for role in ColumnMap.model_fields}

    @property
    def every_path(self) -> list[str]:
        """The paths of all roles."""
        return list(chain(*self.paths().values()))

    def parts(self, role: str) -> tuple[tuple[str, ...], ...]:
        """Return the parts that a role is joined from: the paths of each, as they are tried."""
        given = getattr(self, role)
        if given is None:
            return ()
        parts = (given,) if isinstance(given, str) else given
        tried = [
            tuple(path for path in map(str.strip, part.split(OR)) if not QUOTED.fullmatch(path))
            for part in parts
        ]
        return (tuple(chain(*tried)),) if role == "image" else tuple(filter(None, tried))

    def otherwise(self, role: str) -> str | None:
        """Return what a role is where none of its paths holds something; null if it is nothing."""
        given = getattr(self, role)
        last = given.rpartition(OR)[2].strip() if isinstance(given, str) else ""
        quoted = QUOTED.fullmatch(last)
        return quoted[2] if quoted else None

    def label_of(self, value: Any) -> str | None:
        """Return what an index says of a row's label: "" where no label is mapped."""
        return "" if self.label is None else name_of(value)

    def image_column(self, names: Sequence[str]) -> str | None:
        """Return the path that images come from, given the names of a table's columns."""
        tried = self.paths()["image"]
        return next((path for path in tried if split_path(path, names)[0] in names), None)

    def check(self, table: pa.Table, origin: str) -> None:
        """Check that every mapped column exists.

        Args:
            table: some rows of the source; a key inside text is looked for in all of them.
            origin: what to name in the message.

        Raises:
            LatentmapError: a column is missing; names what exists and the nearest match.
        """
        self.require(self.missing(table), table, origin)

    def missing(self, table: pa.Table) -> set[tuple[str, ...]]:
        """Return the parts of roles that no path of theirs leads to in a table."""
        sought = {part for role in ColumnMap.model_fields for part in self.parts(role)}
        return {part for part in sought if not any(_exists(table, path) for path in part)}

    def require(
        self,
        missing: Collection[tuple[str, ...]],
        table: pa.Table,
        origin: str,
        doubt: str | None = None,
    ) -> None:
        """Fail if something is missing.

        Args:
            missing: the parts of roles that no path leads to.
            table: rows of the source, whose columns and keys are named.
            origin: what to name in the message.
            doubt: what else may be the matter.

        Raises:
            LatentmapError: names the first that is missing, what exists and the nearest match.
        """
        for role in ColumnMap.model_fields:
            for part in self.parts(role):
                if part in missing:
                    problem = unknown("column", part[0], _existing(table, part[0]))
                    remedy = f"Set 'columns.{role}' to one, or to null."
                    raise LatentmapError(
                        " ".join(filter(None, [f"{origin}: {problem}", remedy, doubt]))
                    )


def _exists(table: pa.Table, path: str) -> bool:
    column, keys = split_path(path, table.column_names)
    if column not in table.column_names:
        return False
    if not keys or len(table) == 0:
        return True
    parents = (inside(value, keys[:-1]) for value in table[column].to_pylist())
    return any(keys[-1] in as_mapping(parent) for parent in parents)


def _existing(table: pa.Table, path: str) -> list[str]:
    """List the columns, with the keys of the one that a path leads into."""
    column, _ = split_path(path, table.column_names)
    inner: dict[str, None] = {}
    if column in table.column_names:
        for value in table[column].to_pylist():
            inner.update(dict.fromkeys(as_mapping(value)))
    names = [name for name in table.column_names if name not in HIDDEN]
    return [*names, *(f"{column}.{key}" for key in inner)]


def name_of(value: Any) -> str | None:
    """Read an id, a label or a group, as `plain_name` makes it."""
    text = as_text(value)
    return None if text is None else plain_name(text)


def ids_of(
    table: pa.Table, columns: ColumnMap, rows: Iterable[int], prefix: str
) -> list[str | None]:
    """Read the id of every row; see `index_rows`."""
    if columns.id is None:
        numbers = table[LINE].to_pylist() if LINE in table.column_names else rows
        return [f"{prefix}{number}" for number in numbers]
    return [name_of(value) for value in values(table, columns, "id")]


def values(table: pa.Table, columns: ColumnMap, role: str) -> list[Any]:
    """Read a role as Python values: of several columns, the first that has something."""
    tried = [cells(table, path) for path in columns.paths()[role]]
    otherwise = columns.otherwise(role)
    if len(tried) == 1 and otherwise is None:
        return tried[0]
    by_row = zip(*tried, strict=True) if tried else [()] * len(table)
    return [next((value for value in row if value not in (None, "")), otherwise) for row in by_row]


def texts(table: pa.Table, columns: ColumnMap) -> list[str | None]:
    """Read the text of every row; null where it has none."""
    if not columns.parts("text"):
        return [None] * len(table)
    parts = [
        [_first_text(row) for row in zip(*(cells(table, path) for path in part), strict=True)]
        for part in columns.parts("text")
    ]
    return [_joined(row) for row in zip(*parts, strict=True)]


def _first_text(values: Iterable[Any]) -> str | None:
    """Return the first of several cells that has text, as text."""
    blank = None
    for text in map(as_prose, values):
        if not is_blank(text):
            return text
        blank = text if blank is None else blank
    return blank


def _joined(parts: Sequence[str | None]) -> str | None:
    if len(parts) == 1:
        return parts[0]
    return "\n".join(part for part in parts if part and not is_blank(part)) or None
