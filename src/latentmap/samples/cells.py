"""Cells of a source's columns, and how their values are read.

A nested value may be an Arrow struct or list, or the text of a JSON or Python literal; both read
the same. Text is parsed, never evaluated.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Container, Mapping, Sequence
from operator import methodcaller
from typing import Any

import pyarrow as pa

from latentmap.samples.literals import parse_literal
from latentmap.store.files import json_text


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
    return [inside(value, keys) for value in values] if keys else values


def picker(path: str) -> Callable[[Mapping[str, Any]], Any]:
    """Return what reads one mapped value of a record as `cells` reads a column."""
    name, *keys = path.split(".")
    if not keys:
        return methodcaller("get", path)

    def pick(record: Mapping[str, Any]) -> Any:
        if path in record:
            return record[path]
        value = record.get(name)
        return None if value is None else inside(value, keys)

    return pick


def parse_object(text: str) -> dict[str, Any]:
    """Parse the text of a JSON object.

    Raises:
        ValueError: it is none, or one whose text cannot be stored; says why.
    """
    try:
        record = _loaded(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg} at column {error.colno})") from None
    except RecursionError:
        raise ValueError("not JSON that can be read (nested too deeply)") from None
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    check_storable(text, record)
    return record


def _loaded(text: str) -> Any:
    """Return what `json.loads` does, in half of its time for a text of one value and no space."""
    try:
        value, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError:
        end = -1
    return value if end == len(text) else json.loads(text)


def check_storable(text: str, parsed: Any) -> None:
    """Check that no file is asked to hold half of a surrogate pair, which JSON can write.

    Args:
        text: JSON.
        parsed: what it says.

    Raises:
        ValueError: there is half of a pair in it.
    """
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(parsed, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("half of a surrogate pair, which is no character") from None


def as_text(value: Any) -> str | None:
    """Return a cell as text, a nested one as JSON; null and NaN are null."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return _decoded(value)
    if isinstance(value, list | tuple | Mapping):
        return json_text(value, sort_keys=True, ensure_ascii=False, default=_plain)
    return stable_text(value) if isinstance(value, bool | int | float) else str(value)


def is_blank(text: str | None) -> bool:
    """Whether there is no text, or nothing but white space."""
    return text is None or not text.strip()


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


def stable_text(value: Any) -> str:
    """Return a plain value as text that depends on nothing but the value, and on all of it."""
    return _STABLE.encode(value)


def inside(value: Any, keys: Sequence[str]) -> Any:
    """Return what a nested value holds under keys; null where it holds nothing."""
    for key in keys:
        value = as_mapping(value).get(key)
    return value


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Return a cell as a mapping; an empty one of what is none."""
    if isinstance(value, str):
        try:
            value = parse_literal(value)
        except ValueError:
            return {}
    return value if isinstance(value, Mapping) else {}


def _decoded(value: bytes) -> str:
    """Return text that a file holds as bytes; of other bytes their hexadecimal digits."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _plain(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


_STABLE = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=_plain)
_DECODER = json.JSONDecoder()


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
