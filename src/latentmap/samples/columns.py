"""From a source's own columns to samples: which column holds what, and how its values are read.

A nested value may be an Arrow struct or list, or the text of a JSON or Python literal; both read
the same. Text is parsed, never evaluated.
"""

from __future__ import annotations

import ast
import json
import math
import os
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from latentmap.config import Options, unknown
from latentmap.errors import LatentmapError
from latentmap.samples.source import FAULT, NOTE, RAW_SCHEMA
from latentmap.store.files import digest, digest_bytes, digest_file
from latentmap.store.samples import SCHEMA

JSON = (bool, int, float, list, tuple, Mapping)


class ColumnMap(Options):
    """Which column of the source holds what; a dot leads into a nested value, null maps nothing.

    Attributes:
        id: unique name of the row; made of the row's number if not mapped.
        label: the class under study.
        label_group: its coarser class; the run's `label_groups` if not mapped.
        source_group: what must not leak; the id if not mapped.
        text: the text, or the question about the image; of several columns, the first that has
            text. A list of messages is read as one `role: content` a line.
        boxes: pixels (x0, y0, x1, y1) of the image as it is stored, before any EXIF rotation.
        image: bytes, a `{bytes, path}` struct, or the path of a file; of several columns, the
            first that exists.
    """

    id: str | None = None
    label: str | None = None
    label_group: str | None = None
    source_group: str | None = None
    text: str | tuple[str, ...] | None = None
    boxes: str | None = None
    image: str | tuple[str, ...] | None = None

    def paths(self) -> dict[str, tuple[str, ...]]:
        """Return the paths of every role, in the order in which they are tried."""
        given = self.model_dump()
        return {
            role: (path,) if isinstance(path, str) else tuple(path or ())
            for role, path in given.items()
        }

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
        for role, tried in self.paths().items():
            if tried and not any(_exists(table, path) for path in tried):
                problem = unknown("column", tried[0], _existing(table, tried[0]))
                raise LatentmapError(
                    f"{origin}: {problem} Set 'columns.{role}' to one, or to null."
                )


def split_path(path: str, names: Container[str]) -> tuple[str, list[str]]:
    """Split a dotted path into the column and the keys inside it; a column may have dots itself."""
    if path in names:
        return path, []
    column, *keys = path.split(".")
    return column, keys


def cells(table: pa.Table, path: str | None) -> list[Any]:
    """Read one mapped column as Python values; null where nothing is mapped or found."""
    if path is None:
        return [None] * len(table)
    column, keys = split_path(path, table.column_names)
    if column not in table.column_names:
        return [None] * len(table)
    values: list[Any] = table[column].to_pylist()
    return [_inside(value, keys) for value in values] if keys else values


def pick(record: Mapping[str, Any], path: str | None) -> Any:
    """Read one mapped value of a record as `cells` reads a column."""
    if path is None:
        return None
    name, keys = split_path(path, record)
    return _inside(record.get(name), keys)


def parse_literal(text: str) -> Any:
    """Parse the text of a JSON or Python literal.

    Raises:
        ValueError: it is neither.
    """
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    raise ValueError("neither JSON nor a Python literal")


def as_text(value: Any) -> str | None:
    """Return a cell as text; null and NaN are null."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return _decoded(value)
    return stable_text(value) if isinstance(value, JSON) else str(value)


def _decoded(value: bytes) -> str:
    """Return text that a file holds as bytes; of other bytes their hexadecimal digits."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def as_prose(values: Iterable[Any]) -> str | None:
    """Return the first of several cells that has text, as text.

    Of a list of messages, one `role: content` a line; messages without content are left out.
    """
    blank = None
    for text in map(_conversation, values):
        if text and text.strip():
            return text
        blank = text if blank is None else blank
    return blank


def as_boxes(value: Any) -> list[list[float] | None]:
    """Return a cell as boxes; null inside where something is no box of four numbers."""
    if isinstance(value, str) and value.strip():
        try:
            value = parse_literal(value)
        except ValueError:
            return [None]
    if value is None or value == "":
        return []
    if not isinstance(value, list | tuple):
        return [None]
    single = _box(value)
    return [_box(box) for box in value] if single is None else [single]


class Images:
    """Image cells: bytes, `{bytes, path}` structs, or paths of files.

    Only files below `root` are read, so that a data set of someone else cannot name private ones.
    A file that several rows share is read once.

    Args:
        root: the folder that paths are relative to.
        absent: what a row without an image has: nothing to decode, which sets it aside, or null
            where a sample needs no image.
    """

    def __init__(self, root: Path, absent: bytes | None = b"") -> None:
        self._root = _lexical(root)
        self._absent = absent
        self._blobs: dict[str, bytes] = {}
        self._digests: dict[str, str] = {}

    def read(self, cell: Any) -> bytes | None:
        """Return the bytes of an image; empty where they cannot be had."""
        data, path = _unpack(cell)
        if data is not None or path is None:
            return self._absent if data is None else data
        if path not in self._blobs:
            try:
                self._blobs[path] = self._file(path).read_bytes()
            except (OSError, ValueError):
                self._blobs[path] = b""
        return self._blobs[path]

    def digest(self, cell: Any) -> str:
        """Digest what `read` would return."""
        data, path = _unpack(cell)
        if data is not None or path is None:
            return digest_bytes(data or b"")
        if path not in self._digests:
            try:
                self._digests[path] = digest_file(self._file(path))
            except (OSError, ValueError):
                self._digests[path] = "missing"
        return self._digests[path]

    def _file(self, path: str) -> Path:
        file = _lexical(self._root / path)
        if not file.is_relative_to(self._root):
            raise ValueError(f"{file} is outside {self._root}")
        return file


def index_rows(
    table: pa.Table,
    columns: ColumnMap,
    images: Images,
    first: int = 0,
    *context: str,
    prefix: str = "",
) -> pl.DataFrame:
    """Return id, label and digest of rows of a source, as `Source.index` does.

    A digest covers how the row is mapped, its values, its image, the context, and an id that is
    made of the row's number: rows that move must not leave their old id in a sealed shard.

    Args:
        table: (n,) rows as the source has them.
        columns: their mapping.
        images: where their images are.
        first: position of the first row in the source.
        context: what else the rows depend on.
        prefix: of ids that are made of the row's number.
    """
    mapping = columns.model_dump_json()
    column = columns.image_column(table.column_names)
    pictures = cells(table, column)
    plain = table.drop_columns([column]) if column in table.column_names else table
    labels = [as_text(value) for value in cells(table, columns.label)]
    ids = _ids(table, columns, range(first, first + len(table)), prefix)
    made = [[] if columns.id else [name or ""] for name in ids]
    digests = [
        digest(
            mapping,
            stable_text(row),
            _unpack(picture)[1] or "",
            images.digest(picture),
            *context,
            *made_id,
        )
        for row, picture, made_id in zip(plain.to_pylist(), pictures, made, strict=True)
    ]
    schema = {"id": pl.String, "label": pl.String, "digest": pl.String}
    return pl.DataFrame({"id": ids, "label": labels, "digest": digests}, schema)


def texts(table: pa.Table, columns: ColumnMap) -> list[str | None]:
    """Read the text of every row."""
    tried = [cells(table, path) for path in columns.paths()["text"]]
    return [as_prose(row) for row in zip(*tried, strict=True)] if tried else [None] * len(table)


def raw_samples(
    table: pa.Table, columns: ColumnMap, images: Images, rows: Sequence[int], prefix: str = ""
) -> pa.Table:
    """Map rows of a source to `RAW_SCHEMA`, followed by all columns that are not mapped whole.

    An extra column with the name of a core column, of `FAULT` or of `NOTE`, is prefixed with
    `original_`.

    Args:
        table: (n,) rows as the source has them.
        columns: their mapping.
        images: where their images are; one that cannot be had is empty, not null.
        rows: (n,) their positions in the source.
        prefix: of ids that are made of the row's number.
    """
    picture = columns.image_column(table.column_names)
    core: dict[str, list[Any]] = {
        role: [as_text(value) for value in cells(table, getattr(columns, role))]
        for role in ("label", "label_group", "source_group")
    }
    core["text"] = texts(table, columns)
    core["id"] = _ids(table, columns, rows, prefix)
    core["boxes"] = [as_boxes(value) for value in cells(table, columns.boxes)]
    core["image"] = [picture and images.read(cell) for cell in cells(table, picture)]
    raw = pa.table([pa.array(core[f.name], f.type) for f in RAW_SCHEMA], schema=RAW_SCHEMA)
    others = (tried for role, tried in columns.paths().items() if role != "image")
    mapped = {picture, *chain(*others)}
    for name in table.column_names:
        if name not in mapped:
            free = _extra_name(name, [*SCHEMA.names, FAULT, NOTE, *raw.column_names])
            raw = raw.append_column(free, table[name])
    return raw


def stable_text(value: Any) -> str:
    """Return a plain value as text that depends on nothing but the value."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _conversation(value: Any) -> str | None:
    if value == []:
        return None
    if not isinstance(value, list) or not all(
        isinstance(said, Mapping) and "content" in said for said in value
    ):
        return as_text(value)
    turns = [(as_text(said.get("role")), as_text(said["content"])) for said in value]
    return "\n".join(
        f"{role}: {content}" if role else content
        for role, content in turns
        if content and content.strip()
    )


def _ids(table: pa.Table, columns: ColumnMap, rows: Iterable[int], prefix: str) -> list[str | None]:
    if columns.id is None:
        return [f"{prefix}{row}" for row in rows]
    return [as_text(value) for value in cells(table, columns.id)]


def _inside(value: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        value = _mapping(value).get(key)
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = parse_literal(value)
        except ValueError:
            return {}
    return value if isinstance(value, Mapping) else {}


def _exists(table: pa.Table, path: str) -> bool:
    column, keys = split_path(path, table.column_names)
    if column not in table.column_names:
        return False
    if not keys or len(table) == 0:
        return True
    parents = (_inside(value, keys[:-1]) for value in table[column].to_pylist())
    return any(keys[-1] in _mapping(parent) for parent in parents)


def _existing(table: pa.Table, path: str) -> list[str]:
    """List the columns, with the keys of the one that a path leads into."""
    column, _ = split_path(path, table.column_names)
    inner: dict[str, None] = {}
    if column in table.column_names:
        for value in table[column].to_pylist():
            inner.update(dict.fromkeys(_mapping(value)))
    return [*table.column_names, *(f"{column}.{key}" for key in inner)]


def _extra_name(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name = f"original_{name}"
    return name


def _box(value: Any) -> list[float] | None:
    numbers = (
        isinstance(value, list | tuple)
        and len(value) == 4
        and all(type(number) in (int, float) for number in value)
    )
    try:
        return [float(number) for number in value] if numbers else None
    except OverflowError:
        return None


def _unpack(cell: Any) -> tuple[bytes | None, str | None]:
    if isinstance(cell, bytes):
        return cell, None
    if isinstance(cell, str):
        return None, cell
    if isinstance(cell, Mapping):
        return cell.get("bytes"), cell.get("path")
    return None, None


def _lexical(path: Path) -> Path:
    # Without `..`, but with links as they are: a folder of images may well be a link.
    return Path(os.path.abspath(path))  # noqa: PTH100
